/** /v1/installation-platforms: on what the service installs by itself, and what it has to be given for that. */

import { isDirect, loginVariables, needsLogin, notInstalling, type LoginVariable } from "../direct/direct-platform.ts";
import { platforms } from "../../platforms/registry.ts";
import { cloudletById } from "../state/cloudlets.ts";
import type { Resource } from "./app.ts";
import { visible } from "./caller.ts";
import { answers, flag, listOf, object, orNull, query, text } from "./schemas.ts";

const variableSchema = object({
  name: text("As `credentials` has it."), description: text("What it is."), needed: flag("Without it there is no login."), secret: flag("Not to be shown to whoever looks on."),
  text: flag("The text of a certificate or key, of several lines."),
});
const platformSchema = object({
  platform: text("As `platform.type` of a spec."),
  login: text("`variables`: an installation is given a login. `none`: it needs none, for the right to install is the service's own machine's.", { enum: ["variables", "none"] }),
  variables: listOf(variableSchema, "The usual ones of a login, in the order in which a form asks for them. The text of an openrc or a clouds.yaml may stand for those of OpenStack."),
  available: flag("The service installs there: for this cloudlet, or at all where none was named."),
  reason: orNull(text("Why it does not.")),
});

export const installationPlatformResource: Resource = (app, { db }, { installer }) => {
  app.get<{ Querystring: { cloudlet?: string } }>("/v1/installation-platforms", {
    schema: {
      operationId: "listInstallationPlatforms", summary: "On what the service installs by itself; with a cloudlet, whether it does for that one.", tags: ["installations"],
      querystring: query({ cloudlet: text("Only of its platform, and for this one.", { maxLength: 100 }) }), response: answers({ 200: object({ items: listOf(platformSchema, "One of each platform.") }) }),
    },
  }, async (request) => {
    const { cloudlet: wanted } = request.query;
    const cloudlet = wanted === undefined ? undefined : visible(request, "installation:read", await cloudletById(db, wanted));
    const names = cloudlet === undefined ? platforms.map((platform) => platform.name) : [cloudlet.platform];
    return {
      items: names.map((platform) => {
        const reason = notInstalling(platform, installer, cloudlet);
        const variables = isDirect(platform) && needsLogin(platform) ? loginVariables[platform] : [];
        return { platform, login: variables.length === 0 ? "none" : "variables", variables: variables.map(shown), available: reason === undefined, reason: reason ?? null };
      }),
    };
  });
};

function shown({ name, description, isNeeded, isSecret, isText }: LoginVariable): object {
  return { name, description, needed: isNeeded, secret: isSecret, text: isText };
}
