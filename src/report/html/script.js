
const form = document.querySelector(".toolbar");
if (form) {
  const table = document.querySelector(".findings table");
  const groups = [...table.tBodies];
  const texts = new Map(groups.map((group) => [group, group.textContent.toLowerCase()]));
  const search = form.querySelector("[type=search]");
  const output = form.querySelector("output");

  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const levels = new Set([...form.querySelectorAll("[value]:checked")].map((box) => box.value));
    const onlyHead = form.elements.head?.checked;
    let shown = 0;
    for (const group of groups) {
      const fits = levels.has(group.className)
        && (!onlyHead || group.dataset.head === "true")
        && words.every((word) => texts.get(group).includes(word));
      group.hidden = !fits;
      shown += fits;
    }
    output.value = `${shown} of ${groups.length} shown`;
  };

  const collator = new Intl.Collator("en", { numeric: true });
  const sort = (heading) => {
    const key = heading.dataset.sort;
    const up = heading.getAttribute("aria-sort") !== "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", up ? "ascending" : "descending");
    const sign = up ? 1 : -1;
    const isText = key === "what" || key === "path";
    const compare = (a, b) => (isText ? collator.compare(a, b) : a - b);
    groups.sort((a, b) => sign * compare(a.dataset[key], b.dataset[key]) || a.id.slice(1) - b.id.slice(1));
    table.append(...groups);
  };

  for (const heading of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = heading.textContent;
    button.addEventListener("click", () => sort(heading));
    heading.replaceChildren(button);
  }
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  filter();

  // A link from the timeline opens what it leads to, filtered out or not.
  const open = () => {
    const group = groups.find((group) => `#${group.id}` === location.hash);
    if (!group) return;
    group.hidden = false;
    group.querySelector("details").open = true;
    group.scrollIntoView({ block: "center" });
  };
  addEventListener("hashchange", open);
  open();
}
