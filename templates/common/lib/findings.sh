# What the preflight finds. All of it is shown at once: each finding with a code, what is wrong, and what to do.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# finding CODE WHAT DO: stands in the way.
finding() {
    findings_add finding "$1" "$2" "$3"
}

# note CODE WHAT DO: good to know, stands in nobody's way.
note() {
    findings_add note "$1" "$2" "$3"
}

# findings_add KIND CODE WHAT DO: once, for two PlatformVMs may want the same thing of the site.
findings_add() {
    findings_line=$(printf '%s\t%s\t%s\t%s' "$1" "$2" "$3" "$4")
    grep -qxF -- "$findings_line" "$work/findings" || printf '%s\n' "$findings_line" >>"$work/findings"
}

# findings_count: how many stand in the way.
findings_count() {
    grep -c '^finding' "$work/findings" || :
}

# findings_show: notes first, then what stands in the way.
findings_show() {
    for findings_kind in note finding; do
        [ "$findings_kind" = finding ] || [ "$quiet" = no ] || continue
        grep "^$findings_kind" "$work/findings" | while IFS='	' read -r kind code what todo; do
            printf '%-8s %s\n         %s\n' "$kind" "$code" "$what"
            [ -z "$todo" ] || printf '         -> %s\n' "$todo"
        done
    done
}

# tool_needed NAME PACKAGE: a finding if it is not there.
tool_needed() {
    command -v "$1" >/dev/null 2>&1 || finding tool/missing "there is no '$1' on this machine" "Install it: $2."
}
