/** What Node says of the file system, in words; undefined for anything else. */

export function systemError(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("syscall" in error) || !("code" in error)) return undefined;
  const { code, path } = error as NodeJS.ErrnoException;
  const words: Readonly<Record<string, string>> = {
    ENOENT: "there is no such file or folder",
    EACCES: "permission denied",
    EPERM: "not permitted",
    EISDIR: "this is a folder, not a file",
    EEXIST: "something else has this name already",
    ENOTDIR: "a part of this path is not a folder",
    ENOSPC: "no space is left on the disk",
    EDQUOT: "the disk quota is used up",
    EFBIG: "the file is larger than this user or disk may have (ulimit -f, FAT)",
    EROFS: "the file system is read-only",
    EMFILE: "too many open files",
    EIO: "the disk reports an error",
  };
  return `${path ?? "input/output"}: ${words[code ?? ""] ?? error.message}`;
}
