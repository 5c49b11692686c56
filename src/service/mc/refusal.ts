/** What MobiledgeX's master controller answers where it refuses: `{"message": …}`, or, once an answer has begun, a line with a result. */

export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: number;

  constructor(message: string, status = 400) {
    super(capitalized(message));
    this.status = status;
  }
}

/** As the master controller writes its messages. */
function capitalized(message: string): string {
  return `${message.slice(0, 1).toUpperCase()}${message.slice(1)}`;
}

export function forbidden(): Refusal {
  return new Refusal("Forbidden", 403);
}

export interface CloudletKey {
  readonly organization: string;
  readonly name: string;
}

export function noSuchCloudlet(key: CloudletKey): Refusal {
  return new Refusal(`Cloudlet key ${shownKey(key)} not found`);
}

export function cloudletExists(key: CloudletKey): Refusal {
  return new Refusal(`Cloudlet key ${shownKey(key)} already exists`);
}

function shownKey({ organization, name }: CloudletKey): string {
  return JSON.stringify({ ...(organization === "" ? {} : { organization }), ...(name === "" ? {} : { name }) });
}

/** One line of a streamed answer. */
export function dataLine(data: object): string {
  return `${JSON.stringify({ data })}\n`;
}

export function messageLine(message: string): string {
  return dataLine({ message });
}

/** The last line of a streamed answer that comes to a bad end. */
export function resultLine({ message, status }: Refusal): string {
  return `${JSON.stringify({ result: { message, code: status } })}\n`;
}
