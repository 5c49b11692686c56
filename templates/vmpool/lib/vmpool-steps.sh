# The steps on the machine: its mark, the secrets, the files, the units, and the wait until all is well.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

step_inputs() {
    printf '%s\n' "$target_digest" "$target_parameters" "$target_secrets" | sha256sum | cut -d' ' -f1
}

# step_claim: the mark, and the list of what is not there yet, before anything is written.
step_claim_check() {
    platform_exists && platform_has_target || return 1
    [ "$state_lost" = yes ] || [ "$owner_inputs" = "$(step_inputs)" ] || return 1
    step_id=$owner_name
}

step_claim_do() {
    {
        printf 'owner name %s\nowner bundle %s\nowner inputs %s\n' "$CB_NAME" "$target_digest" "$(step_inputs)"
        [ -z "$owner_secrets" ] || printf 'owner secrets %s\n' "$owner_secrets"
        look_each CB_GUEST_FILE PATH file
        # A container's folder may be a secret's too; as a tree it goes with all that is in it.
        look_each CB_VP_FOLDER PATH tree
        look_each CB_SECRET PATH file
        look_each CB_VP_CONTAINER IMAGE image
    } >"$work/claim-input"
    machine_must claim "marking the machine" claim <"$work/claim-input"
    look_again
    step_id=$CB_NAME
}

# step_secrets: the CRM renews its access key in the file, so it is the record that counts, not the content.
step_secrets_check() {
    [ -n "$owner_secrets" ] || return 1
    [ "$state_lost" = yes ] || [ "$owner_secrets" = "$target_secrets" ] || return 1
    step_id=$CB_SECRET_COUNT
}

step_secrets_do() {
    step_at=0
    while [ "$step_at" -lt "$CB_SECRET_COUNT" ]; do
        step_at=$((step_at + 1))
        printf '%s\n' "$(site_value "CB_SECRET_${step_at}_PATH")"
        if [ -n "$secrets_file" ]; then
            printf 'value %s\n' "$(sed -n "s/^$(site_value "CB_SECRET_${step_at}_NAME")=//p" "$work/secrets")"
        else
            printf 'keep\n'
        fi
    done >"$work/secrets-input"
    machine secrets secrets "$target_secrets" <"$work/secrets-input" || {
        rm -f "$work/secrets-input"
        trouble_stop secrets "writing the secrets"
    }
    rm -f "$work/secrets-input"
    look_again
    step_id=$CB_SECRET_COUNT
}

# files_compare: paths of the bundle's files that are not there as they are to be go to $work/differing.
files_compare() {
    look_each CB_GUEST_FILE PATH path | sed 's/^path //' >"$work/paths"
    machine_must digests "looking at the files" digests <"$work/paths"
    : >"$work/differing"
    files_at=0
    while [ "$files_at" -lt "$CB_GUEST_FILE_COUNT" ]; do
        files_at=$((files_at + 1))
        files_path=$(site_value "CB_GUEST_FILE_${files_at}_PATH")
        files_digest=$(sha256sum <"$target_folder/$(site_value "CB_GUEST_FILE_${files_at}_FILE")" | cut -d' ' -f1)
        grep -qxF -- "file $files_digest $(mode_letters "$(site_value "CB_GUEST_FILE_${files_at}_MODE")") 0:0 $files_path" "$work/digests" ||
            printf '%s\n' "$files_path" >>"$work/differing"
    done
}

# mode_letters 0644: as ls shows a file of this mode.
mode_letters() {
    mode_text=-
    for mode_digit in $(printf '%s' "${1#0}" | sed 's/./& /g'); do
        case $mode_digit in
        0) mode_text=$mode_text--- ;;
        4) mode_text=${mode_text}r-- ;;
        5) mode_text=${mode_text}r-x ;;
        6) mode_text=${mode_text}rw- ;;
        7) mode_text=${mode_text}rwx ;;
        *) mode_text=$mode_text'???' ;;
        esac
    done
    printf '%s' "$mode_text"
}

step_files_check() {
    files_compare
    [ ! -s "$work/differing" ] || return 1
    sed -n 's/^listed //p' "$work/digests" | LC_ALL=C sort >"$work/listed"
    LC_ALL=C sort "$work/paths" | cmp -s - "$work/listed" || return 1
    step_id=$CB_GUEST_FILE_COUNT
}

step_files_do() {
    step_at=0
    while [ "$step_at" -lt "$CB_GUEST_FILE_COUNT" ]; do
        step_at=$((step_at + 1))
        step_file=$target_folder/$(site_value "CB_GUEST_FILE_${step_at}_FILE")
        printf '%s %s %s\n' "$(site_value "CB_GUEST_FILE_${step_at}_MODE")" "$(wc -c <"$step_file" | tr -d ' ')" "$(site_value "CB_GUEST_FILE_${step_at}_PATH")"
        cat "$step_file"
    done >"$work/files-input"
    printf 'end\n' >>"$work/files-input"
    machine_must files "writing the files" files <"$work/files-input"
    step_files_check || stop 3 host/refused "$machine_title does not keep what was written: $(tr '\n' ' ' <"$work/differing")" \
        "Something there changes these files. Stop it, then run this again."
}

# step_units: enabled, and started since the inputs last changed.
step_units_check() {
    [ -n "$owner_applied" ] && [ "$owner_applied" = "$owner_inputs" ] || return 1
    step_id=$CB_VP_UNIT_COUNT
}

step_units_do() {
    {
        look_each CB_VP_UNIT NAME unit
        look_each CB_VP_CONTAINER ROLE role
    } >"$work/units-input"
    machine_must units "enabling the units" units "$owner_inputs" <"$work/units-input"
    look_again
    step_id=$CB_VP_UNIT_COUNT
}

# said_look: said_bootstrap (of systemd), said_stage and said_detail (of cloudlet-bootstrap); false if nobody answers.
said_look() {
    said_bootstrap='' said_stage='' said_detail=''
    machine said said </dev/null || return 1
    said_bootstrap=$(fact said bootstrap)
    # Seconds since the boot, stage, detail.
    said_line=$(fact said said)
    said_stage=$(printf '%s' "$said_line" | cut -s -d' ' -f2)
    said_detail=$(printf '%s' "$said_line" | cut -s -d' ' -f3)
}

step_healthy_check() {
    said_look || return 1
    [ "$said_bootstrap:$said_stage" = active:healthy ] || return 1
    step_id=$said_detail
}

# step_healthy_do: 30 minutes, as the platform itself waits for a new cloudlet.
step_healthy_do() {
    healthy_began=$(seconds)
    machine again again </dev/null || :
    healthy_stage='' healthy_unheard=0
    until step_healthy_check; do
        # A moment without an answer is none; a machine that is gone is.
        if [ "$machine_status" = 0 ]; then healthy_unheard=0; else healthy_unheard=$((healthy_unheard + 1)); fi
        [ "$healthy_unheard" -lt 12 ] || trouble_stop said "asking $machine_title how the containers are"
        # What failed says why, a moment before or after systemd knows.
        case $said_bootstrap:$said_stage in
        failed:failed) healthy_failed ;;
        failed:*) [ "$(($(seconds) - healthy_began))" -lt 15 ] || healthy_failed ;;
        esac
        [ "$(($(seconds) - healthy_began))" -lt 1800 ] || healthy_silent
        if [ -n "$said_stage" ] && [ "$said_stage" != "$healthy_stage" ]; then
            healthy_stage=$said_stage
            progress_end
            say "    $said_stage $said_detail"
        fi
        progress "waiting until the containers are well: ${said_stage:-nothing said}, $(($(seconds) - healthy_began)) s"
        sleep 2
    done
    progress_end
    step_id=$said_detail
}

healthy_tail() {
    progress_end
    printf 'last lines of the journal of cloudlet-bootstrap:\n' >&2
    sed -n 's/^journal /    /p' "$work/said" 2>/dev/null | tail -n 15 | tr -d '\000-\010\013-\037' | secrets_hide >&2 || :
}

healthy_failed() {
    healthy_tail
    healthy_reason=${said_detail:-unknown}
    stop 1 guest/failed "$machine_title says that it failed: $healthy_reason" "$(guest_remedy "$healthy_reason")
To try again, repeat this command."
}

healthy_silent() {
    healthy_tail
    stop 1 guest/late "after 30 minutes $machine_title says '${said_stage:-nothing}'" \
        "Look there: journalctl -u cloudlet-bootstrap. Run this again to wait on."
}
