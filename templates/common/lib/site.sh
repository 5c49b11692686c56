# site.env: the only data the scripts read. Every line is NAME='value', a comment or empty; nothing in it is ever run.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# site_load FILE: checks the form of every line before the shell sees one, then takes the values over.
site_load() {
    [ -f "$1" ] && [ -r "$1" ] ||
        stop 3 bundle/incomplete "there is no readable $1" "Unpack the whole bundle again, into an empty folder."
    site_wrong=$(LC_ALL=C awk '
        /^#/ || /^$/ { next }
        /^CB_[A-Z0-9_]+=\047/ {
            rest = substr($0, index($0, "=") + 1)
            gsub(/\047\\\047\047/, "", rest)
            if (rest ~ /^\047[^\047]*\047$/) next
        }
        { print FNR; exit }' "$1")
    [ -z "$site_wrong" ] || stop 1 bundle/site-env "line $site_wrong of $1 is not NAME='value'" \
        "The bundle was changed after it was made. Get it again and verify it."
    # shellcheck disable=SC1090 # which file it is, is the argument
    . "$1"
    [ "${CB_FORMAT-}" = 1 ] || stop 1 bundle/format "site.env has format '${CB_FORMAT-}', this script knows 1" \
        "Use the install.sh of the same bundle."
}

# site_value NAME: the value of a variable whose name is made up from a number, such as CB_NETWORK_2_NAME.
site_value() {
    # Callers make the name of CB_ and a number; it is never the operator's text.
    eval "printf '%s' \"\${$1-}\""
}
