# The operator's own parameters (--parameter NAME=VALUE): kept as sorted NAME=VALUE lines in the state directory.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# parameters_allowed NAME=VALUE: refuses what can't be one.
parameters_allowed() {
    parameter_name=${1%%=*}
    case $1 in
    *=*) ;;
    *) arguments_wrong "--parameter wants NAME=VALUE, not: $1" ;;
    esac
    case $parameter_name in
    '' | [!A-Za-z]* | *[!A-Za-z0-9_]*) arguments_wrong "not a parameter's name: $parameter_name" ;;
    secret_*) arguments_wrong "$parameter_name is a secret: give it with --secrets, where ps can't show it" ;;
    vm_image | payload_image) arguments_wrong "$parameter_name is set by install.sh: the bundle carries the image" ;;
    esac
    [ "$(printf '%s' "$1" | tr -d '\001-\037\177')" = "$1" ] ||
        arguments_wrong "the value of $parameter_name holds a control character"
    ! printf '%s' "$parameters_given" | grep -q "^$parameter_name=" ||
        arguments_wrong "--parameter $parameter_name is given twice"
}

# parameters_write FILE: what was given, sorted.
parameters_write() {
    printf '%s' "$parameters_given" | LC_ALL=C sort >"$1"
}

# parameter NAME DEFAULT: the operator's value, else the default.
parameter() {
    if grep -q "^$1=" "$work/parameters"; then
        sed -n "s/^$1=//p" "$work/parameters"
    else
        printf '%s' "$2"
    fi
}

# parameters_undefined TEMPLATE: names that the template does not have. Its parameters stand two spaces deep.
parameters_undefined() {
    LC_ALL=C awk '
        FILENAME == ARGV[1] { at = index($0, "="); want[substr($0, 1, at - 1)] = 1; next }
        /^[A-Za-z_]/ { inside = ($0 ~ /^parameters:/) }
        inside && /^  ["\047]?[A-Za-z][A-Za-z0-9_]*["\047]?:/ { name = $1; gsub(/["\047:]/, "", name); have[name] = 1 }
        END { for (name in want) if (!(name in have)) print name }' "$work/parameters" "$1" | LC_ALL=C sort
}

# yaml_string TEXT: a double-quoted YAML scalar; control characters were refused before.
yaml_string() {
    printf '"%s"' "$(printf '%s' "$1" | sed 's/\\/\\\\/g; s/"/\\"/g')"
}
