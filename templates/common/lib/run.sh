# The verbs: what install.sh does, in words that fit every IaaS. What a word means there is in the platform's own file.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# run_install: also --upgrade and --rollback; they differ in the target and in what is allowed. --check and --plan end early.
run_install() {
    run_open
    verify_bundle
    run_target
    run_inputs
    heading "preflight"
    run_preflight
    case $only in
    check)
        say "nothing stands in the way"
        return 0
        ;;
    plan)
        platform_plan
        return 0
        ;;
    esac
    if run_complete; then
        say "${green}nothing to do:${plain} release $CB_RELEASE is installed and well"
        # A run that was cut after its last line in the journal has left none, or an older one.
        [ -z "$receipt_file" ] && grep -q "\"sha256:$target_digest\"" "$state/receipt.json" 2>/dev/null || receipt_write complete
        return 0
    fi
    heading "plan"
    platform_plan >&2
    ask_yes "Go on?" || stop 2 usage/declined "nothing was changed" ""
    run_steps
}

# run_open: state, lock, journal; for verbs that change nothing, only a look.
run_open() {
    started=$(utc)
    case $only:$verb in
    check:* | plan:* | *:status | *:ova) state_look ;;
    *) state_open ;;
    esac
    : >"$work/findings"
    : >"$work/secrets"
    trust_version=0 trust_warning='' older_than='' older_trust=''
    journal_read
}

# verify_bundle: the signature, then every digest. Nothing of the bundle is used before.
verify_bundle() {
    bundle_digest=$(sha256sum <"$here/SHA256SUMS" | cut -d' ' -f1)
    [ "$verb" != rollback ] || return 0
    heading "verify"
    [ -n "$trust" ] || stop 1 verify/no-trust "no --trust, so nobody knows who made this bundle" \
        "Give --trust with the signer's key file or fingerprint (SHA256:…) that you got by another channel.
To install without: --trust none. The receipt will say so."
    [ -z "$parts_given" ] || verify_parts
    verify_status=0
    sh "$here/verify.sh" --trust "$trust" >"$work/verify" 2>&1 || verify_status=$?
    [ "$quiet" = yes ] && [ "$verify_status" = 0 ] || sed 's/^/    /' "$work/verify" >&2
    case $verify_status in
    0) ;;
    1) stop 1 verify/refused "the bundle is not what the signer made" \
        "Do not install it. Get it again, and unpack it into an empty folder; if that does not help, tell its maker." ;;
    2) stop 2 usage/trust "--trust wants a public key file, SHA256: and 64 hex digits, or none" "" ;;
    *) stop 3 verify/tool "the bundle can't be verified on this machine" "See above for what is missing." ;;
    esac
    trust_said=signature
    [ "$trust" != none ] || {
        trust_said=none
        warn "the signature is not checked (--trust none): whoever had the bundle on its way may have changed it"
        return 0
    }
    # The names below trust/ are proven by now: the last one is the version in force.
    for verify_policy in "$here"/trust/*.policy; do
        [ ! -f "$verify_policy" ] || trust_version=$((trust_version + 1))
    done
    trust_warning=$(sed -n 's/^validity  *warned  *//p' "$work/verify")
    [ -z "$trust_warning" ] || warn "$trust_warning"
}

# verify_parts: the big files out of the parts, where they are not here yet. What verify.sh finds whole needs none.
verify_parts() {
    ! sh "$here/verify.sh" --trust "$trust" --quiet >/dev/null 2>&1 || return 0
    parts_status=0
    sh "$here/parts.sh" --trust "$trust" --parts "$parts_given" --into "$here" >"$work/parts" 2>&1 || parts_status=$?
    [ "$quiet" = yes ] && [ "$parts_status" = 0 ] || sed 's/^/    /' "$work/parts" >&2
    case $parts_status in
    0) ;;
    1) stop 1 verify/parts "parts of the bundle are bad or missing" "See above; give the others with --parts, or have a bad one made again." ;;
    *) stop "$parts_status" verify/parts "the parts can't be read on this machine" "See above." ;;
    esac
}

# run_target: which bundle is to be there in the end, and whether that is allowed from where we are.
run_target() {
    target_digest=$bundle_digest target_folder=$here state_lost=no
    case $verb in
    upgrade) run_target_upgrade ;;
    rollback) run_target_rollback ;;
    *) run_target_install ;;
    esac
    run_age
}

# run_age: what was installed here once is never followed by something older, unless the operator wants it. What is there
# already is not asked again, and going back is what --rollback is for; both are written down.
run_age() {
    [ "$CB_RELEASE_SEQUENCE" -ge "$highest_sequence" ] || older_than=$highest_sequence
    [ "$verb" = rollback ] || [ "$trust" = none ] || [ "$trust_version" -ge "$highest_trust" ] || older_trust=$highest_trust
    [ -n "$older_than$older_trust" ] || return 0
    [ "$verb" != rollback ] && [ "$allow_older" = no ] && [ "$bundle_digest" != "$installed_bundle" ] && [ "$bundle_digest" != "$open_bundle" ] || {
        warn "release $CB_RELEASE (sequence $CB_RELEASE_SEQUENCE) is older than what was installed here before${older_than:+ (sequence $older_than)}${older_trust:+, by its trust policy (version $older_trust)}"
        return 0
    }
    [ -z "$older_than" ] || run_refuse bundle/older "this bundle is older (sequence $CB_RELEASE_SEQUENCE) than one that was installed here ($older_than)" "$(run_older)"
    [ -z "$older_trust" ] || run_refuse bundle/older-trust \
        "this bundle's trust policy is older (version $trust_version) than one that was installed here ($older_trust)" "$(run_older)"
}

run_older() {
    [ "$verb" != upgrade ] || printf 'To go back to what was there before the last upgrade: ./install.sh --rollback\n'
    printf 'If an older one is what you want: --allow-older. The receipt will say so.'
}

run_target_install() {
    if [ -n "$open_verb" ] && [ "$open_verb" != install ]; then
        run_refuse run/other "the last run was --$open_verb, and it did not end" \
            "Repeat it (./install.sh --$open_verb), or go back: ./install.sh --rollback"
    elif [ -n "$open_verb" ]; then
        [ "$open_bundle" = "$bundle_digest" ] || run_refuse input/bundle \
            "the install that was interrupted used another bundle (SHA256SUMS $(short "$open_bundle"), this one is $(short "$bundle_digest"))" \
            "Go on from that bundle's folder; or remove what it made (./install.sh --uninstall) and install this one."
    elif [ -n "$installed_bundle" ] && [ "$installed_bundle" != "$bundle_digest" ]; then
        run_refuse input/bundle \
            "another bundle is installed (SHA256SUMS $(short "$installed_bundle"), this one is $(short "$bundle_digest"))" \
            "$(run_newer)"
    fi
}

# run_newer: what to do about another bundle.
run_newer() {
    if [ "$installed_sequence" -gt "$CB_RELEASE_SEQUENCE" ]; then
        printf 'This one is older (sequence %s, installed %s). To go back one step: ./install.sh --rollback' \
            "$CB_RELEASE_SEQUENCE" "$installed_sequence"
    else
        printf 'To replace it and keep its addresses: ./install.sh --upgrade'
    fi
}

run_target_upgrade() {
    if [ "$open_verb" = install ]; then
        run_refuse run/other "the install before did not end" "Complete it with its own bundle, or: ./install.sh --uninstall"
    elif [ "$open_verb" = upgrade ] && [ "$open_bundle" != "$bundle_digest" ]; then
        run_refuse input/bundle "the upgrade that was interrupted used another bundle (SHA256SUMS $(short "$open_bundle"))" \
            "Go on from that bundle's folder, or go back: ./install.sh --rollback"
    elif [ "$open_verb" = rollback ]; then
        run_refuse run/other "the last run was --rollback, and it did not end" "Repeat it: ./install.sh --rollback"
    fi
}

run_target_rollback() {
    case $open_verb in
    upgrade) target_key=$installed_key ;;
    rollback) target_key=$open_key ;;
    *) target_key=$installed_former ;;
    esac
    target_folder=$(bundle_saved "$target_key")
    target_digest=${target_key%%.*}
    [ -n "$target_key" ] && [ -d "$target_folder" ] ||
        stop 1 run/no-former "there is nothing to go back to in $state" \
            "Only the bundle before the last upgrade is kept, and only by the state directory that did the upgrade."
    trust_said='as installed'
    site_load "$target_folder/site.env"
    [ -z "$parameters_given$secrets_file" ] ||
        arguments_wrong "--rollback takes parameters and secrets as they were: leave out --parameter and --secrets"
}

# run_refuse CODE WHAT DO: a run with changed inputs. For --check and --plan it is one finding among others.
run_refuse() {
    if [ -n "$only" ]; then finding "$1" "$2" "$3"; else stop 1 "$1" "$2" "$3"; fi
}

short() {
    printf '%.12s' "$1"
}

# run_inputs: parameters and secrets; those of the run before are taken over when none are given.
run_inputs() {
    case $open_verb:$verb in
    install:* | upgrade:upgrade) run_take_over open ;;
    *) run_take_over installed ;;
    esac
    secrets_check
    target_parameters=$(sha256sum <"$work/parameters" | cut -d' ' -f1)
    run_secrets
    target_key=$target_digest.$target_parameters
    former_key=$installed_former
    case $verb in
    rollback)
        former_key=''
        return 0
        ;;
    upgrade)
        [ "$installed_key" = "$target_key" ] || former_key=$installed_key
        [ "$open_verb" = upgrade ] || return 0
        ;;
    esac
    if [ -n "$before_parameters" ] && [ "$before_parameters" != "$target_parameters" ]; then
        run_refuse input/parameters "the parameters are not those of the run before: $(run_differing)" \
            "Give the same, or none. To change them once it is installed: ./install.sh --upgrade with the new ones."
    fi
    if [ -n "$before_secrets" ] && [ "$before_secrets" != "$target_secrets" ]; then
        run_refuse input/secrets "the secrets are not those of the run before" \
            "Give the same file. To change them once it is installed: ./install.sh --upgrade --secrets FILE"
    fi
}

# run_take_over open|installed: before_* is what the run before had.
run_take_over() {
    eval "before_key=\$$1_key before_parameters=\$$1_parameters before_secrets=\$$1_secrets"
    [ "$verb" != rollback ] || before_key=$target_key
    before_file=$(bundle_saved "$before_key")/parameters
    if [ -z "$parameters_given" ] && [ -n "$before_key" ] && [ -f "$before_file" ]; then
        cp "$before_file" "$work/parameters"
        [ ! -s "$work/parameters" ] || say "parameters of the run before: $(sed 's/=.*//' "$work/parameters" | tr '\n' ' ')"
    else
        parameters_write "$work/parameters"
    fi
}

run_differing() {
    { cat "$before_file" 2>/dev/null || :; cat "$work/parameters"; } | LC_ALL=C sort | uniq -u | sed 's/=.*//' | sort -u | tr '\n' ' '
}

# run_secrets: without a file, what the cloud holds is kept, if it holds them already.
run_secrets() {
    if [ -n "$secrets_file" ] || [ -z "$before_secrets" ]; then
        target_secrets=$(secrets_digest)
    else
        target_secrets=$before_secrets
    fi
}

# run_need_secrets: a stack that is still to be made needs the file; one that is there has them.
run_need_secrets() {
    [ -z "$secrets_file" ] && ! platform_holds_secrets || return 0
    secrets_at=0
    while [ "$secrets_at" -lt "$CB_SECRET_COUNT" ]; do
        secrets_at=$((secrets_at + 1))
        if [ "$(site_value "CB_SECRET_${secrets_at}_REQUIRED")" = yes ]; then
            finding secrets/none "the bundle needs secrets ($(secrets_names)) and there is no --secrets" \
                "Fill in site/secrets.template, chmod 600, and give it with --secrets FILE."
            return 0
        fi
    done
    [ -z "$before_secrets" ] || [ "$before_secrets" = "$(secrets_digest)" ] ||
        finding secrets/none "the run before had a secrets file" "Give the same with --secrets FILE."
}

# run_preflight: all findings at once.
run_preflight() {
    tool_needed sha256sum coreutils
    run_found=$(findings_count)
    platform_tools
    # Without its tools the cloud can't be asked; other findings don't keep us from asking.
    if [ "$(findings_count)" = "$run_found" ] && platform_access; then
        platform_preflight
        run_presence
    fi
    run_room
    findings_show
    run_found=$(findings_count)
    [ "$run_found" = 0 ] || stop 1 preflight/findings "$run_found finding(s), listed above; nothing was changed" ""
}

# run_room: the journal and what the client buffers.
run_room() {
    run_folder=$work
    run_free=$(df -Pk "$run_folder" | awk 'NR == 2 { print $4 }')
    [ "${run_free:-0}" -ge 16384 ] ||
        finding disk/full "$run_folder has $((${run_free:-0} / 1024)) MiB free, 16 are needed" "Free some, or use --state (TMPDIR for --check)."
}

# run_presence: what the cloud holds against what the journal says.
run_presence() {
    case $verb in
    install)
        if platform_exists && ! platform_has_target; then
            [ -n "$installed_bundle$open_bundle" ] && [ "$(findings_count)" != 0 ] ||
                finding state/other-bundle "what is installed was made from another bundle, unknown to $state" \
                    "Give the right --state DIR; or replace it: ./install.sh --upgrade; or remove it: ./install.sh --uninstall"
        elif platform_exists && [ -z "$installed_bundle$open_bundle" ]; then
            state_lost=yes
            note state/lost "it is installed from this very bundle, but not by this state directory" \
                "Its parameters and secrets are left as they are."
        fi
        ;;
    upgrade | rollback)
        platform_exists || finding run/not-installed "nothing is installed, so there is nothing to --$verb" "Install first: ./install.sh"
        ;;
    esac
    run_need_secrets
}

# run_complete: everything is there and well, and the journal knows it.
run_complete() {
    [ "$state_lost" = yes ] || { [ -z "$open_verb" ] && [ "$installed_key" = "$target_key" ]; } || return 1
    run_all_checked
}

run_all_checked() {
    : >"$work/ids"
    for run_step in $(platform_steps); do
        step_id=''
        platform_step "$run_step" check || return 1
        printf '%s %s\n' "$run_step" "$step_id" >>"$work/ids"
    done
}

# step_id_of NAME: what the step made, in this run or found.
step_id_of() {
    sed -n "s/^$1 //p" "$work/ids" | tail -n 1
}

# run_steps: each is begun, done and recorded; what is found done is only recorded.
run_steps() {
    [ "$verb" = rollback ] || bundle_save
    run_facts="bundle=$target_digest parameters=$target_parameters secrets=$target_secrets sequence=$CB_RELEASE_SEQUENCE"
    [ "$trust_version" = 0 ] || run_facts="$run_facts trust=$trust_version"
    run_facts="$run_facts${older_than:+ older=$older_than}${older_trust:+ oldertrust=$older_trust}"
    journal_write start "$verb" "$run_facts"
    : >"$work/ids"
    for run_step in $(platform_steps); do
        run_one
    done
    platform_remember
    [ "$verb" != upgrade ] || platform_finish
    journal_write end "$verb" "$run_facts${former_key:+ former=$former_key}"
    receipt_write complete
    heading "${green}done:${plain} release $CB_RELEASE of $CB_CLOUDLET runs"
    platform_status || warn "not all is well: see above, and ./install.sh --status"
}

run_one() {
    heading "$(platform_step_title "$run_step")"
    step_id=''
    run_inputs_digest=$(printf '%s\n' "$run_step" "$run_facts" | sha256sum | cut -d' ' -f1)
    if platform_step "$run_step" check; then
        say "    is there ($step_id)"
    else
        journal_write begin "$run_step" "inputs=$run_inputs_digest"
        step_now=$run_step
        platform_step "$run_step" 'do'
        step_now=''
        say "    made ($step_id)"
    fi
    printf '%s %s\n' "$run_step" "$step_id" >>"$work/ids"
    journal_write 'done' "$run_step" "inputs=$run_inputs_digest" "id=$step_id"
}

# run_uninstall: needs no bundle to be verified and no journal: it finds what carries our name and mark.
run_uninstall() {
    run_open
    bundle_digest=$(sha256sum <"$here/SHA256SUMS" | cut -d' ' -f1)
    target_digest=${open_bundle:-${installed_bundle:-$bundle_digest}}
    target_folder=$here trust_said='not asked'
    run_where
    : >"$work/ids"
    platform_tools
    [ "$(findings_count)" = 0 ] && platform_access || {
        findings_show
        stop 3 preflight/findings "nothing was removed" ""
    }
    [ -n "$installed_bundle$open_bundle" ] ||
        warn "$state knows of no install; looking for what carries the name $CB_NAME and our mark"
    platform_remove_list >"$work/remove"
    if [ -s "$work/remove" ]; then
        heading "to be removed, with all that is on it"
        sed 's/^/    /' "$work/remove" >&2
        ask_yes "Remove all of it?" || stop 2 usage/declined "nothing was changed" ""
        journal_write start uninstall "bundle=$target_digest"
        platform_remove
    else
        journal_write start uninstall "bundle=$target_digest"
    fi
    heading "proof"
    platform_prove >"$work/left-over"
    if [ -s "$work/left-over" ]; then
        cat "$work/left-over"
        stop 1 uninstall/left "this is left" "Run this again; what stays then has to be removed by hand."
    fi
    journal_write end uninstall "bundle=$target_digest"
    receipt_write removed
    rm -rf "$state/bundles" "$state/owned"
    say "${green}nothing is left${plain} at the site. On this machine: $state (journal and receipt, no secrets)"
}

# run_where: the parameters that are given, or those of what is there: they may say where to look.
run_where() {
    parameters_write "$work/parameters"
    [ -n "$parameters_given" ] || cat "$(bundle_saved "${installed_key:-$open_key}")/parameters" >"$work/parameters" 2>/dev/null || :
}

# run_status: what the journal says, then what the cloud says.
run_status() {
    run_open
    bundle_digest=$(sha256sum <"$here/SHA256SUMS" | cut -d' ' -f1)
    target_digest=$bundle_digest target_folder=$here
    run_where
    : >"$work/ids"
    if [ -n "$open_verb" ]; then
        printf 'run      --%s of bundle %s was begun and has not ended\n' "$open_verb" "$(short "$open_bundle")"
    fi
    if [ -n "$installed_bundle" ]; then
        printf 'bundle   %s, sequence %s%s\n' "$(short "$installed_bundle")" "$installed_sequence" \
            "$([ "$installed_bundle" = "$bundle_digest" ] && printf ' (this one)' || printf ' (not this one)')"
        [ -z "$installed_former" ] || printf 'former   %s (--rollback goes there)\n' "$(short "$installed_former")"
    else
        printf 'bundle   none is recorded in %s\n' "$state"
    fi
    platform_tools
    [ "$(findings_count)" = 0 ] && platform_access || {
        findings_show
        stop 3 preflight/findings "the cloud can't be asked" ""
    }
    # What is missing or unwell was said: that is the answer, and no accident.
    platform_status || {
        told=yes
        exit 1
    }
}
