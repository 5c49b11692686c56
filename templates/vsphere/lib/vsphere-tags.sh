# MobiledgeX's tags, where the spec wants them: by them its CRM knows which VMs and addresses are in use. A category and a tag that
# we made say so in their description; only those are removed again.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# tags_prefix: what MobiledgeX calls the datacenter of a cloudlet: organization and name, without what its names can't hold.
tags_prefix() {
    printf '%s-%s' "$CB_ORGANIZATION" "$CB_CLOUDLET" | tr -d ' &!' | tr ',/' '__' | sed 's/^[^A-Za-z]/a&/'
}

# tags_wanted: CATEGORY, a tab, TAG. The text is key=value with commas between; the names are MobiledgeX's.
tags_wanted() {
    tags_of=$(tags_prefix)
    printf '%s-vmdomain\tgroup=%s,vmname=%s,role=mex-agent-node,flavor=%s,domain=platform\n' "$tags_of" "$CB_NAME" "$CB_NAME" "${CB_VS_FLAVOR:-none}"
    tags_at=0
    while [ "$tags_at" -lt "$CB_NETWORK_COUNT" ]; do
        tags_at=$((tags_at + 1))
        [ -n "$(site_value "CB_NETWORK_${tags_at}_ADDRESS")" ] || continue
        printf '%s-vmip\tgroup=%s,vmname=%s,netname=%s,ip=%s,domain=platform\n' "$tags_of" "$CB_NAME" "$CB_NAME" "$(site_network_name "$tags_at")" "$(site_value "CB_NETWORK_${tags_at}_ADDRESS")"
    done
}

tags_mark() {
    printf 'made by cloudlet-bundle for %s' "$CB_NAME"
}

# tags_step check|do|undo
tags_step() {
    case $1 in
    check)
        vms_target && [ "$vm_imported" = yes ] || return 1
        ask tags-attached tags.attached.ls -r "$(glob "$vm_path")" || return 1
        step_id=$(tags_wanted | grep -c .)
        tags_wanted | cut -f2 | LC_ALL=C sort >"$work/tags-wanted"
        LC_ALL=C sort "$work/tags-attached" | LC_ALL=C comm -23 "$work/tags-wanted" - >"$work/tags-lacking"
        [ ! -s "$work/tags-lacking" ]
        ;;
    do)
        vms_target
        ask categories tags.category.ls || trouble_stop categories 'listing tag categories'
        for tags_kind in vmdomain subnet vmip; do
            grep -qxF -- "$(tags_prefix)-$tags_kind" "$work/categories" ||
                change category "making tag category $(tags_prefix)-$tags_kind" tags.category.create -m -d "$(tags_mark)" "$(tags_prefix)-$tags_kind" ||
                trouble_stop category "making tag category $(tags_prefix)-$tags_kind"
        done
        tags_wanted >"$work/tags"
        while IFS='	' read -r tags_category tags_tag <&3; do
            ask tags-there tags.ls -c "$tags_category" || trouble_stop tags-there "listing tags of $tags_category"
            # A line of the list is the tag; newer govc has the category in a second column.
            awk -F '\t' '{ sub(/ +$/, "", $1); print $1 }' "$work/tags-there" | sed "s|  *$tags_category\$||" | grep -qxF -- "$tags_tag" ||
                change tag "making tag $tags_tag" tags.create -c "$tags_category" -d "$(tags_mark)" "$tags_tag" || trouble_stop tag "making tag $tags_tag"
            change attach "tagging ${vm_path##*/}" tags.attach -c "$tags_category" "$tags_tag" "$(glob "$vm_path")" || trouble_stop attach "tagging $vm_path"
        done 3<"$work/tags"
        tags_step check || stop 3 tags/not-set "vCenter took the tags, and does not have them: $(tr '\n' ' ' <"$work/tags-lacking")" "Run this again."
        ;;
    undo) tags_remove ;;
    esac
}

# tags_ours: "tag NAME" and "category NAME" of those that we made and that are there.
tags_ours() {
    [ "$CB_VS_TAGS" = yes ] || return 0
    ask categories tags.category.ls || return 1
    for tags_kind in vmdomain vmip subnet; do
        tags_category=$(tags_prefix)-$tags_kind
        grep -qxF -- "$tags_category" "$work/categories" || continue
        tags_wanted >"$work/tags"
        while IFS='	' read -r tags_of_one tags_tag <&3; do
            [ "$tags_of_one" = "$tags_category" ] || continue
            ! ask tag-info tags.info -c "$tags_category" "$tags_tag" || ! grep -qF -- "$(tags_mark)" "$work/tag-info" ||
                printf 'tag\t%s\t%s\n' "$tags_category" "$tags_tag"
        done 3<"$work/tags"
        ! ask category-info tags.category.info "$tags_category" || ! grep -qF -- "$(tags_mark)" "$work/category-info" || printf 'category\t%s\n' "$tags_category"
    done
}

# tags_remove: a category only when no tag of anybody else's, such as the CRM's, is in it.
tags_remove() {
    tags_ours >"$work/tags-ours" || trouble_stop categories 'listing tag categories'
    while IFS='	' read -r tags_what tags_category tags_tag <&3; do
        if [ "$tags_what" = tag ]; then
            ask tag-remove tags.rm -f -c "$tags_category" "$tags_tag" || trouble_stop tag-remove "removing tag $tags_tag"
        else
            ask tags-there tags.ls -c "$tags_category" || trouble_stop tags-there "listing tags of $tags_category"
            if [ -s "$work/tags-there" ]; then
                warn "tag category $tags_category stays: there are tags of others in it"
            else
                ask category-remove tags.category.rm "$tags_category" || trouble_stop category-remove "removing tag category $tags_category"
            fi
        fi
    done 3<"$work/tags-ours"
}
