# Uninstalling, and the proof that nothing is left.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# remove_list: what is going to be removed, one line each. What has our name and not our mark stays, and is said.
remove_list() {
    vapps_look
    template_look
    templates_ours
    while IFS='	' read -r remove_name remove_link remove_status remove_owner remove_rest; do
        if [ "$remove_owner" = ours ]; then
            printf 'vApp %s (%s)\n' "$remove_name" "$(status_word "$remove_status")"
        else
            stop 1 vapp/not-ours "the vApp $remove_name was not made by a bundle" "Delete it by hand, if it is to go."
        fi
    done <"$work/vapps"
    cut -f1 "$work/templates" | sed 's/^/template /'
}

# remove_all: vApps first, for one may still be made from a template.
remove_all() {
    LC_ALL=C awk -F '\t' '$4 == "ours" { print $1 }' "$work/vapps" >"$work/others"
    while IFS= read -r remove_name <&4; do
        say "removing vApp $remove_name"
        vapp_remove "$remove_name"
    done 4<"$work/others"
    templates_drop /dev/null
}

# templates_drop KEEP: removes our templates but those whose names are lines of a file.
templates_drop() {
    while IFS='	' read -r template_drop_name template_link template_item <&4; do
        ! grep -qxF -- "$template_drop_name" "$1" || continue
        say "removing template $template_drop_name"
        template_drop
    done 4<"$work/templates"
}

# remove_prove: lists what is left, one line each, nothing if all is well.
remove_prove() {
    vapps_look
    template_look
    templates_ours
    LC_ALL=C awk -F '\t' '{ print "vApp " $1 }' "$work/vapps"
    cut -f1 "$work/templates" | sed 's/^/template /'
}

# remove_former: vApps and templates that neither run nor are needed to go back.
remove_former() {
    vapps_look
    for former_each in "$target_key" "$former_key"; do
        [ -z "$former_each" ] || cat "$(bundle_saved "$former_each")/vapp" "$(bundle_saved "$former_each")/template" 2>/dev/null || :
    done >"$work/keep"
    LC_ALL=C awk -F '\t' '$4 == "ours" { print $1 }' "$work/vapps" >"$work/others"
    while IFS= read -r remove_name <&4; do
        grep -qxF -- "$remove_name" "$work/keep" || {
            say "  removing a vApp that nothing needs any more ($remove_name)"
            vapp_remove "$remove_name"
        }
    done 4<"$work/others"
    template_look
    templates_ours
    templates_drop "$work/keep"
}
