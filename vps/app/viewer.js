// An image with a button for each detection; or, while a box is drawn, a sheet to draw on.
// Texts are set as text, never as markup: labels are whatever a visitor has typed.
const draw = () => {
  const root = element.querySelector('.vps-viewer');
  if (!root) return;
  const value = props.value;
  root.replaceChildren();
  root.classList.toggle('vps-empty', !(value && value.source));
  if (!value || !value.source) {
    root.textContent = 'Choose an image or upload one.';
    return;
  }
  const image = document.createElement('img');
  image.src = value.source;
  image.alt = 'the image';
  image.draggable = false;
  root.append(image);
  const put = (node, box) => {
    const [x1, y1, x2, y2] = box;
    node.style.left = `${100 * x1 / value.width}%`;
    node.style.top = `${100 * y1 / value.height}%`;
    node.style.width = `${100 * (x2 - x1) / value.width}%`;
    node.style.height = `${100 * (y2 - y1) / value.height}%`;
  };
  // The small ones on top, or a large one would hide them.
  const area = (one) => (one.box[2] - one.box[0]) * (one.box[3] - one.box[1]);
  const order = value.boxes.map((_, index) => index)
    .sort((a, b) => area(value.boxes[b]) - area(value.boxes[a]));
  for (const index of order) {
    const one = value.boxes[index];
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'vps-box' + (index === value.chosen ? ' vps-chosen' : '');
    button.disabled = value.drawing;
    button.setAttribute('aria-label', `${one.label}, score ${one.score.toFixed(2)}: explain`);
    button.dataset.index = index;
    put(button, one.box);
    const name = document.createElement('span');
    name.textContent = `${one.label} ${one.score.toFixed(2)}`;
    if (one.box[1] < 0.07 * value.height) name.classList.add('vps-inside');
    if (one.box[0] > 0.7 * value.width) name.classList.add('vps-left');
    button.append(name);
    button.addEventListener('click', () => trigger('choose', { index }));
    root.append(button);
  }
  const sheet = document.createElement('div');
  sheet.className = 'vps-drawn';
  sheet.hidden = !value.drawn;
  if (value.drawn) put(sheet, value.drawn);
  root.append(sheet);
  if (value.drawing) paint(root, sheet, value, put);
};

const paint = (root, sheet, value, put) => {
  root.classList.add('vps-drawing');
  let start = null;
  const place = (event) => {
    const frame = root.getBoundingClientRect();
    const inside = (share) => Math.min(Math.max(share, 0), 1);
    return [inside((event.clientX - frame.left) / frame.width) * value.width,
            inside((event.clientY - frame.top) / frame.height) * value.height];
  };
  const box = (a, b) => [Math.min(a[0], b[0]), Math.min(a[1], b[1]),
                         Math.max(a[0], b[0]), Math.max(a[1], b[1])];
  root.onpointerdown = (event) => {
    start = place(event);
    root.setPointerCapture(event.pointerId);
    event.preventDefault();
  };
  root.onpointermove = (event) => {
    if (!start) return;
    sheet.hidden = false;
    put(sheet, box(start, place(event)));
  };
  root.onpointerup = (event) => {
    if (!start) return;
    const drawn = box(start, place(event)).map((side) => Math.round(10 * side) / 10);
    start = null;
    if (drawn[2] - drawn[0] >= 2 && drawn[3] - drawn[1] >= 2) trigger('drawn', { box: drawn });
  };
};

const reset = () => {
  const root = element.querySelector('.vps-viewer');
  if (root) {
    root.classList.remove('vps-drawing');
    root.onpointerdown = root.onpointermove = root.onpointerup = null;
  }
  draw();
};
reset();
watch('value', reset);
