# What is told to a guest before its first boot, and what it says of itself on its console.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# guest_fill IN OUT: user-data with the base64 of each secret where its placeholder stands, nothing where none was given.
# $work/secrets holds NAME=<base64> lines. No value is an argument or in the environment of a process; OUT has mode 0600.
guest_fill() {
    rm -f "$2.new"
    LC_ALL=C awk '
        FILENAME == ARGV[1] { at = index($0, "="); value[substr($0, 1, at - 1)] = substr($0, at + 1); next }
        { text = ""
          while (match($0, /@@CLOUDLET-SECRET:[A-Za-z0-9_]+@@/)) {
              text = text substr($0, 1, RSTART - 1) value[substr($0, RSTART + 18, RLENGTH - 20)]
              $0 = substr($0, RSTART + RLENGTH)
          }
          print text $0 }' "$work/secrets" "$1" >"$2.new" && chmod 600 "$2.new" && mv -f "$2.new" "$2"
}

# guest_stage FILE: "STAGE DETAIL" of the last status line that this release wrote to the console; nothing if there is
# none. Other text may stand before and after, and a line that something else was written into does not count.
guest_stage() {
    [ -r "$1" ] || return 0
    tr -d '\000-\011\013-\037\177-\377' <"$1" | LC_ALL=C guest_release=$CB_RELEASE guest_sequence=$CB_RELEASE_SEQUENCE awk '
        BEGIN { head = "cloudlet-status {\"version\":1,\"release\":\"" ENVIRON["guest_release"] "\",\"sequence\":" ENVIRON["guest_sequence"] "," }
        (at = index($0, head)) > 0 {
            text = substr($0, at + length(head))
            if (!match(text, /^"uptime":[0-9]+,"stage":"[a-z]+","detail":"[A-Za-z0-9_.,\/-]*"}/)) next
            split(substr(text, 1, RLENGTH), part, "\"")
            last = part[6] " " part[10]
        }
        END { if (last != "") print last }'
}
