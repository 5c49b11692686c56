/** The spec editor and its view, fetched when somebody opens a spec: the editor of YAML is larger than the rest of the console. */

import { lazy } from "react";

export const SpecEditor = lazy(async () => ({ default: (await import("../spec-editor/spec-editor.tsx")).SpecEditor }));

export const YamlText = lazy(async () => ({ default: (await import("../spec-editor/yaml-editor.tsx")).YamlEditor }));

export const SpecView = lazy(async () => ({ default: (await import("../spec-editor/spec-view.tsx")).SpecView }));
