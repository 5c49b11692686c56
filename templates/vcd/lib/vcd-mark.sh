# Whose a thing is: by its name, and by its mark.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# What is ours says so in its description from its first moment on; metadata says it again, for people edit descriptions.
# mark_text MORE: whose it is, and what it was made of.
mark_text() {
    printf 'cloudlet-bundle %s bundle=%s%s' "$CB_NAME" "$target_digest" "$1"
}

# mark_of ROWS ELEMENT LINK: the mark of a vApp or template whose rows are there; nothing if it has none of this cloudlet.
mark_of() {
    mark_found=$(rows_pick "$1" "/$2/Description" . | grep -F "cloudlet-bundle $CB_NAME bundle=" | head -n 1) || mark_found=''
    # "Retrieve Metadata": GET …/metadata.
    if [ -z "$mark_found" ] && api metadata GET "$3/metadata"; then
        mark_found=$(rows_pick "$work/metadata.rows" /TypedValue/Value . | grep -F "cloudlet-bundle $CB_NAME bundle=" | head -n 1) || mark_found=''
    fi
    printf '%s' "$mark_found"
}

# mark_set LINK TEXT: "Update Metadata": POST …/metadata; entries that are there stay.
mark_set() {
    {
        printf '<?xml version="1.0" encoding="UTF-8"?>\n<Metadata xmlns="http://www.vmware.com/vcloud/v1.5" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        printf '<MetadataEntry><Key>cloudlet-bundle</Key><TypedValue xsi:type="MetadataStringValue"><Value>%s</Value></TypedValue></MetadataEntry></Metadata>\n' \
            "$(xml_text "$2")"
    } >"$work/body"
    api_need "marking what was made" mark POST "$1/metadata" vcloud.metadata "$work/body"
    task_need mark "marking what was made"
}

# named_ours NAME: the PlatformVM's, or that with a key behind it.
named_ours() {
    named_base=$(printf '%.100s' "$CB_NAME")
    [ "$1" != "$named_base" ] || return 0
    case $1 in "$named_base"-*) ;; *) return 1 ;; esac
    case ${1#"$named_base"-} in *[!0-9a-f]* | '' | ?????????????????*) return 1 ;; esac
}
