/** Saves what the page has, or what a link of the service gives, as a file. */

export function saveText(fileName: string, text: string, type = "text/plain"): void {
  saveBlob(fileName, new Blob([text], { type }));
}

export function saveBlob(fileName: string, blob: Blob): void {
  const url = URL.createObjectURL(blob);
  press(url, { download: fileName });
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** The browser downloads it by itself, shows how far it is, and goes on where it was interrupted. */
export function saveLink(url: string, fileName: string): void {
  press(url, { download: fileName });
}

export function openLink(url: string): void {
  press(url, { target: "_blank", rel: "noopener noreferrer" });
}

function press(href: string, attributes: Readonly<Record<string, string>>): void {
  const link = document.createElement("a");
  link.href = href;
  for (const [name, value] of Object.entries(attributes)) link.setAttribute(name, value);
  link.hidden = true;
  document.body.append(link);
  link.click();
  link.remove();
}
