/** The spec editor, fetched when somebody edits: its editor of YAML is larger than the rest of the console. */

import { lazy } from "react";

export const SpecEditor = lazy(async () => ({ default: (await import("../spec-editor/spec-editor.tsx")).SpecEditor }));
