// Unpacks what the page holds: text that was compressed by zlib and encoded in base64.

async function unpack(id) {
  const packed = document.getElementById(id).textContent.trim();
  if (!packed) return "";
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).text();
}

function element(tag, attributes = {}, ...children) {
  // All texts go in as text nodes, so that no name or message can become markup.
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") made.className = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

const say = (text) => { document.getElementById("said").textContent = text; };
