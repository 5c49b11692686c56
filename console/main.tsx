/** Starts the web console in its page. */

import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import "./theme/theme.css";
import "./theme/layout.css";
import "./spec-editor/spec-editor.css";
import "./bundle-browser/bundle-browser.css";
import "./installations/installations.css";
import "./deliveries/deliveries.css";
import "./parts/run-log.css";

const place = document.getElementById("console");
if (place === null) throw new Error("the page has no place for the console");
createRoot(place).render(<App />);
