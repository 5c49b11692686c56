/** The YAML in the spec editor, as somebody at the keyboard reads and writes it. */

import type { Page } from "playwright-core";

export async function yamlIn(page: Page): Promise<string> {
  const lines = await page.getByRole("textbox", { name: "Spec (YAML)" }).locator(".cm-line").allInnerTexts();
  return lines.map((line) => (line === "\n" ? "" : line)).join("\n");
}

export async function writeYaml(page: Page, text: string): Promise<void> {
  await page.getByRole("textbox", { name: "Spec (YAML)" }).focus();
  await page.keyboard.press("Control+A");
  await page.keyboard.insertText(text);
}
