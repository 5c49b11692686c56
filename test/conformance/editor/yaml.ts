/** The YAML in the spec editor, as somebody at the keyboard reads and writes it. */

import type { Locator, Page } from "playwright-core";

/** The page of a cloudlet shows a text as well that can't be changed. */
async function editorOf(page: Page): Promise<Locator> {
  const editor = page.locator(".yaml-editor").getByRole("textbox", { name: "Spec (YAML)" });
  await editor.waitFor();
  return editor;
}

export async function yamlIn(page: Page): Promise<string> {
  const lines = await (await editorOf(page)).locator(".cm-line").allInnerTexts();
  return lines.map((line) => (line === "\n" ? "" : line)).join("\n");
}

export async function writeYaml(page: Page, text: string): Promise<void> {
  await (await editorOf(page)).focus();
  await page.keyboard.press("Control+A");
  await page.keyboard.insertText(text);
}
