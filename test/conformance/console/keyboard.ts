/** Somebody who has no mouse: Tab leads to everything, and what can't be reached by it fails the test. */

import type { Locator, Page } from "playwright-core";

export interface Keyboard {
  /** Goes on with Tab until a button or link of this name has the focus, and presses Enter; fails when all of the page was gone through. */
  readonly press: (role: "button" | "link", name: string | RegExp) => Promise<void>;
  /** Reaches a field and writes into it, over what is there. */
  readonly write: (field: string, text: string) => Promise<void>;
  /** Reaches a list and chooses by the first letters. */
  readonly choose: (field: string, first: string) => Promise<void>;
  /** Reaches a section, and opens it where it is closed. */
  readonly open: (title: string) => Promise<void>;
  /** Reaches a file field and takes this file. */
  readonly take: (field: string, path: string) => Promise<void>;
}

/** A form with every section open has fewer. */
const mostSteps = 260;

export function keyboardAt(page: Page): Keyboard {
  const { keyboard } = page;
  const to = async (wanted: Locator, what: string): Promise<void> => {
    // Looked up once, as a look after each step would take longer than the step.
    await wanted.first().waitFor();
    await wanted.evaluateAll((elements) => void ((globalThis as unknown as Wanting).wanted = new Set(elements)));
    for (let steps = 0; steps < mostSteps; steps += 1) {
      if (await page.evaluate("wanted.has(document.activeElement)")) return;
      await keyboard.press("Tab");
    }
    throw new Error(`Tab leads to no ${what} on ${page.url()}`);
  };
  const reach = (role: Role, name: string | RegExp): Promise<void> => to(page.getByRole(role, { name, exact: typeof name === "string" }), `${role} ${String(name)}`);
  return {
    press: async (role, name) => {
      await reach(role, name);
      await keyboard.press("Enter");
    },
    write: async (field, text) => {
      await reach("textbox", field);
      await keyboard.press("Control+A");
      await keyboard.type(text);
    },
    choose: async (field, first) => {
      await reach("combobox", field);
      await keyboard.type(first);
    },
    open: async (title) => {
      const summary = page.locator("summary", { hasText: new RegExp(`^${title}\\b`) });
      await to(summary, `section ${title}`);
      if (await page.evaluate("!document.activeElement.parentElement.open")) await keyboard.press("Enter");
    },
    take: async (field, path) => {
      await to(page.getByLabel(field), `file field ${field}`);
      const [chooser] = await Promise.all([page.waitForEvent("filechooser"), keyboard.press("Space")]);
      await chooser.setFiles(path);
    },
  };
}

type Role = "button" | "combobox" | "link" | "textbox";

interface Wanting {
  wanted: ReadonlySet<unknown>;
}
