/** A button that may be at work; its press is then let go by whoever handles it (useAction does one thing at a time). */

import type { ReactNode } from "react";
import { Button as AriaButton, type ButtonProps } from "react-aria-components";

/** React Aria's own `isPending` announces an element that is gone soon after, which leaves an image without a name (1.22). */
export function Button({ isPending = false, className, ...rest }: Omit<ButtonProps, "className"> & { readonly className: string }): ReactNode {
  return <AriaButton {...rest} className={isPending ? `${className} busy` : className} />;
}
