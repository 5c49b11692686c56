/** /v1/health: that the service runs. */

import type { Resource } from "./app.ts";
import { answers, object, text } from "./schemas.ts";

export const healthResource: Resource = (app, { db, version }) => {
  app.get("/v1/health", {
    config: { open: true },
    schema: { operationId: "health", summary: "Whether the service runs and has its state.", tags: ["service"], security: [], response: answers({ 200: object({ status: text("It runs.", { enum: ["ok"] }), version: text("Of the program.") }) }) },
  }, async () => {
    await db.selectFrom("organizations").select("name").limit(1).execute();
    return { status: "ok", version };
  });
};
