# The journal: append-only text, one line per event, what was done with the digest of its inputs. Written before and
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails
# after each step, so that after a cut at any point the next run knows what was begun.
#
#   2026-11-24T08:32:45Z start install bundle=… parameters=… secrets=… sequence=3
#   2026-11-24T08:32:45Z begin image-vm inputs=…
#   2026-11-24T08:33:10Z done image-vm inputs=… id=…
#   2026-11-24T08:35:02Z end install bundle=… parameters=… secrets=… sequence=3 former=…
#
# trust=N is the version of the trust policy that was verified, older=N the highest sequence that was there before, where this
# one is lower, oldertrust=N the same of the trust policy.

# journal_write WORD...: one line, on the disk before the next thing happens.
journal_write() {
    printf '%s %s\n' "$(utc)" "$*" >>"$journal" ||
        stop 3 state/unwritable "can't write to $journal" "Free some space there, then run this again."
    # coreutils before 8.24 and BusyBox builds without the option take no file: then all of it is flushed.
    sync "$journal" 2>/dev/null || sync
}

# journal_now: the lines since the last uninstall that was completed. A half-written last line does not count.
journal_now() {
    LC_ALL=C awk '
        { line[++n] = $0 } $2 == "end" && $3 == "uninstall" { n = 0 }
        END { for (i = 1; i <= n; i++) if (line[i] ~ /^[0-9T:Z-]+ (start|begin|done|failed|end) [a-z-]+( [a-z]+=[^ ]*)*$/) print line[i] }
        ' "$journal"
}

# journal_read: sets installed_* from the last completed run, open_* from a run that was begun and not completed.
journal_read() {
    journal_now >"$work/journal"
    journal_take installed "$(grep ' end ' "$work/journal" | tail -n 1)"
    journal_open_line=$(awk '$2 == "start" { open = $0 } $2 == "end" { open = "" } END { print open }' "$work/journal")
    journal_take open "$journal_open_line"
    highest_sequence=$(journal_highest sequence)
    highest_trust=$(journal_highest trust)
}

# journal_highest KEY: the highest number that an install or upgrade was completed with, ever: an uninstall forgets nothing,
# or else an old bundle would come in through it.
journal_highest() {
    LC_ALL=C awk -v key="$1" '
        $2 == "end" && ($3 == "install" || $3 == "upgrade") {
            for (i = 4; i <= NF; i++) if (index($i, key "=") == 1 && substr($i, length(key) + 2) ~ /^[0-9]+$/ && substr($i, length(key) + 2) + 0 > most) most = substr($i, length(key) + 2) + 0
        }
        END { printf "%.0f\n", most }' "$journal"
}

# journal_take PREFIX LINE: PREFIX_verb, _bundle, _parameters, _secrets, _sequence, _former, _key (bundle.parameters).
journal_take() {
    journal_verb=$(printf '%s' "$2" | cut -s -d' ' -f3)
    eval "$1_verb=\$journal_verb"
    # The names come from the lists in this file, the values are only assigned.
    for journal_key in bundle parameters secrets sequence former; do
        journal_value=$(printf '%s\n' "$2" | tr ' ' '\n' | sed -n "s/^$journal_key=//p")
        eval "$1_$journal_key=\$journal_value"
    done
    eval "$1_key=\${$1_bundle:+\$$1_bundle.\$$1_parameters}"
}

# journal_id STEP: the id that the last done line of a step recorded.
journal_id() {
    sed -n "s/^[^ ]* done $1 .*id=\([^ ]*\).*/\1/p" "$work/journal" | tail -n 1
}
