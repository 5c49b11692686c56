# The package in the catalog: a vApp template, sent by transfer links with resume, or by ovftool.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# template_look: template_state (absent, partial, ready, failed or foreign), template_link, template_item.
template_look() {
    template_name=$(printf '%.100s' "$CB_NAME")-$(printf '%.12s' "$target_digest")
    template_state=absent template_link='' template_item=''
    [ -n "$catalog_link" ] || return 0
    api_need "looking at catalog $catalog_name" catalog GET "$catalog_link"
    template_item=$(rows_pick "$work/catalog.rows" /CatalogItems/CatalogItem href name "$template_name" | head -n 1)
    [ -n "$template_item" ] && api item GET "$template_item" || return 0
    template_link=$(rows_pick "$work/item.rows" /CatalogItem/Entity href | head -n 1)
    [ -n "$template_link" ] && template_read || return 0
    case $(rows_pick "$work/template.rows" /VAppTemplate status | head -n 1) in
    8) template_state=ready ;;
    -1) template_state=failed ;;
    *) template_state=partial ;;
    esac
    # One that ovftool has sent has no mark yet; where it was cut, the journal knows that it was begun.
    [ -n "$(mark_of "$work/template.rows" VAppTemplate "$template_link")" ] || [ "${template_sent-no}" = yes ] ||
        { [ -n "$open_verb" ] && grep -q ' begin template ' "$work/journal"; } || template_state=foreign
}

# template_read: "Retrieve a vApp Template", with the files that are still to be sent.
template_read() {
    api template GET "$template_link"
}

# template_upload_link: where the catalog takes templates; shown to who may.
template_upload_link() {
    rows_pick "$work/catalog.rows" /Link href rel add type "$api_kind.vcloud.uploadVAppTemplateParams+xml" | head -n 1
}

# template_step check|do|undo: what a vApp was made of need not be there any more.
template_step() {
    case $1 in
    check)
        if vapp_made; then
            step_id=${vapp_link##*/}
            return 0
        fi
        template_look
        [ "$template_state" = ready ] && template_marked || return 1
        step_id=${template_link##*/}
        ;;
    do) template_make ;;
    undo) say "the template stays until --uninstall" ;;
    esac
}

# template_marked: one of ovftool's has its mark in the metadata.
template_marked() {
    [ -n "$(mark_of "$work/template.rows" VAppTemplate "$template_link")" ]
}

template_make() {
    template_look
    case $template_state in
    foreign) stop 1 template/name-taken "there is a vApp template called $template_name that no bundle made" "Rename or delete it." ;;
    failed) template_drop ;;
    esac
    if [ "$template_state" != ready ]; then
        case $(template_driver) in
        ovftool) ovftool_send ;;
        curl) template_send ;;
        esac
        template_sent=yes
    fi
    template_look
    [ "$template_state" = ready ] || stop 3 template/failed "the template $template_name was sent and is $template_state" \
        "Look at it in catalog $catalog_name. Running this again sends it again."
    template_marked || mark_set "$template_link" "$(mark_text "")"
    step_id=${template_link##*/}
}

# template_driver: ovftool where the site has it. It takes a password only, and no CA of the site's.
template_driver() {
    case $(parameter driver auto) in
    auto) if command -v ovftool >/dev/null 2>&1 && ovftool_can; then printf ovftool; else printf curl; fi ;;
    *) parameter driver auto ;;
    esac
}

# template_send: "Upload an OVF Package": POST …/action/upload with UploadVAppTemplateParams, PUT of the descriptor, and a PUT
# for each file that the server then asks for. What a run before has sent is not sent again.
template_send() {
    [ "$template_state" = partial ] || template_begin
    template_wait_for descriptor.ovf
    if [ "$(rows_pick "$work/template.rows" /VAppTemplate ovfDescriptorUploaded)" != true ]; then
        template_put descriptor.ovf "$target_folder/$CB_OVF_FILE"
    fi
    for template_kind in VM_IMAGE PAYLOAD; do
        template_file=$(site_value "CB_OVF_${template_kind}_FILE")
        template_wait_for "${template_file##*/}"
        template_put "${template_file##*/}" "$target_folder/$template_file"
    done
    template_read || trouble_stop template "looking at template $template_name"
    task_need template "vCloud Director takes the template in"
}

template_begin() {
    site_storage
    {
        printf '<?xml version="1.0" encoding="UTF-8"?>\n<UploadVAppTemplateParams xmlns="http://www.vmware.com/vcloud/v1.5" name="%s" manifestRequired="false">' \
            "$(xml_text "$template_name")"
        printf '<Description>%s</Description>' "$(xml_text "$(mark_text "")")"
        [ -z "$storage_link" ] || printf '<VdcStorageProfile href="%s"/>' "$(xml_text "$storage_link")"
        printf '</UploadVAppTemplateParams>\n'
    } >"$work/body"
    api_need "beginning to send the template" upload POST "$(template_upload_link)" vcloud.uploadVAppTemplateParams "$work/body"
    template_link=$(rows_pick "$work/upload.rows" /CatalogItem/Entity href | head -n 1)
    [ -n "$template_link" ] || stop 3 cloud/refused "the catalog gave no template for what is sent" "Run this again."
}

# template_wait_for FILE: until the server has read the descriptor and asks for that file; five minutes.
template_wait_for() {
    template_began=$(seconds)
    while :; do
        template_read || trouble_stop template "looking at template $template_name"
        [ "$(rows_pick "$work/template.rows" /VAppTemplate status | head -n 1)" != -1 ] || {
            cp "$work/template.rows" "$work/task.rows"
            trouble_stop task "vCloud Director refuses the package"
        }
        # All of it has arrived: then it is not asked for any more.
        [ "$(rows_pick "$work/template.rows" /VAppTemplate status | head -n 1)" != 8 ] || return 0
        [ -z "$(rows_pick "$work/template.rows" /Files/File size name "$1")" ] || return 0
        [ $(($(seconds) - template_began)) -lt 300 ] || stop 3 template/failed "vCloud Director doesn't ask for $1" "Run this again."
        progress "vCloud Director reads the descriptor, $(($(seconds) - template_began)) s"
        sleep 1
    done
}

# template_put NAME FILE: from the byte on that the server has (API Programming Guide, "Ranged PUT Request to Complete a
# Partial Upload"). A connection that is cut is taken up again as long as something arrives in between.
template_put() {
    put_before=-1 put_idle=0
    while :; do
        [ "$(rows_pick "$work/template.rows" /VAppTemplate status | head -n 1)" != 8 ] || return 0
        put_size=$(rows_pick "$work/template.rows" /Files/File size name "$1" | head -n 1)
        put_from=$(rows_pick "$work/template.rows" /Files/File bytesTransferred name "$1" | head -n 1)
        put_all=$(($(wc -c <"$2")))
        case $put_size in '' | -1) put_size=$put_all ;; esac
        [ "${put_from:-0}" -lt "$put_size" ] || return 0
        put_link=$(rows_below "$work/template.rows" "$(rows_pick "$work/template.rows" /Files/File @ name "$1" | head -n 1)" /Link href | head -n 1)
        [ "$put_size" = "$put_all" ] || stop 3 bundle/image-size "$2 has $put_all bytes, vCloud Director wants $put_size of $1" "Unpack the bundle again."
        if [ "${put_from:-0}" -gt "$put_before" ]; then put_idle=0; else put_idle=$((put_idle + 1)); fi
        # Whatever the transfer service says, it is no XML.
        [ "$put_idle" -le 5 ] || trouble_stop put "sending $1"
        [ "$put_idle" = 0 ] || sleep "$put_idle"
        put_before=${put_from:-0}
        if [ "$1" = descriptor.ovf ]; then
            curl_with put curl_put "$put_link" "$2" "$put_before"
        else
            put_run "$put_link" "$2" "$put_before" "sending $1"
        fi
        case $api_status in
        2??) put_counted "$1" "$put_size" && return 0 ;;
        401 | 403) api_open || trouble_stop session "logging in anew" ;;
        esac
        template_read || trouble_stop template "looking at template $template_name"
    done
}

# put_counted NAME SIZE: what was taken is counted, at once or in a moment; sending it again too early would be refused. A
# descriptor that was read is not asked for again.
put_counted() {
    put_waits=0
    while [ "$put_waits" -lt 30 ]; do
        template_read || trouble_stop template "looking at template $template_name"
        case $(rows_pick "$work/template.rows" /VAppTemplate status | head -n 1) in 8 | -1) return 0 ;; esac
        [ "$1" != descriptor.ovf ] || return 0
        put_from=$(rows_pick "$work/template.rows" /Files/File bytesTransferred name "$1" | head -n 1)
        [ "${put_from:-0}" -lt "$2" ] || return 0
        put_waits=$((put_waits + 1))
        sleep 2
    done
    return 1
}

# put_run LINK FILE FROM TEXT: beside this script, so that progress can be shown and an interruption reaches it; its process is
# noted, so that a later run can tell it from a stranger.
put_run() {
    curl_put "$1" "$2" "$3" | curl -q -K - -o "$work/put" -w '%{http_code}' >"$work/put.status" 2>"$work/put.error" &
    child=$!
    printf '%s %s\n' "$child" "$(process_born "$child")" >"$state/lock/child"
    put_began=$(seconds)
    while kill -0 "$child" 2>/dev/null; do
        put_read=$(bytes_read "$child" "$2")
        progress "$4: $(mebibytes "${put_read:-$3}") of $(mebibytes "$put_size") MiB, $(($(seconds) - put_began)) s"
        sleep 1
    done
    wait "$child" || :
    child=''
    rm -f "$state/lock/child"
    progress_end
    api_status=$(cat "$work/put.status")
}

# curl_put LINK FILE FROM: the token goes to the very server that gave it only.
curl_put() {
    curl_common
    case $1 in "$vcd_url"/*) curl_line header "Authorization: Bearer $api_session" ;; esac
    curl_line upload-file "$2"
    [ "$3" = 0 ] || curl_line continue-at "$3"
    curl_line url "$1"
}

# template_drop: "Cancel a Task" for one that is still being sent, then "Delete a vApp Template", which takes its catalog item
# along; where it doesn't, "Delete a Catalog Item".
template_drop() {
    template_read || :
    rows_pick "$work/template.rows" /Task href status running >"$work/running"
    while IFS= read -r template_task <&3; do
        api cancel POST "$template_task/action/cancel" || :
    done 3<"$work/running"
    if api drop DELETE "$template_link"; then
        task_need drop "deleting the template"
    elif [ "$api_status" != 404 ] && [ "$api_status" != 403 ]; then
        trouble_stop drop "deleting the template"
    fi
    [ -z "$template_item" ] || ! api item GET "$template_item" || api drop DELETE "$template_item" || :
    template_state=absent
}

# templates_ours: name, link and catalog item of each template that carries our mark, in $work/templates.
templates_ours() {
    : >"$work/templates"
    [ -n "$catalog_link" ] || return 0
    api_need "looking at catalog $catalog_name" catalog GET "$catalog_link"
    rows_pick "$work/catalog.rows" /CatalogItems/CatalogItem href >"$work/items"
    while IFS= read -r templates_item <&3; do
        templates_name=$(rows_pick "$work/catalog.rows" /CatalogItems/CatalogItem name href "$templates_item")
        named_ours "$templates_name" || continue
        api item GET "$templates_item" || continue
        templates_link=$(rows_pick "$work/item.rows" /CatalogItem/Entity href | head -n 1)
        api template GET "$templates_link" || continue
        [ -n "$(mark_of "$work/template.rows" VAppTemplate "$templates_link")" ] ||
            { [ "$templates_name" = "$template_name" ] && [ "$template_state" != foreign ]; } || continue
        printf '%s\t%s\t%s\n' "$templates_name" "$templates_link" "$templates_item" >>"$work/templates"
    done 3<"$work/items"
}
