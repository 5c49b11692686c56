# The Heat stack: created, updated, waited for.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# Its tags tell whose it is and what it was made of: cloudlet-bundle, bundle-<digest>, inputs-<digest>.

# stack_ask: all that Heat tells about it, in one question.
stack_ask() {
    ask stack stack show "$CB_NAME" -f shell
}

# stack_judge: sets stack_id, stack_status (absent if there is none), stack_owner (ours or foreign), stack_reason.
stack_judge() {
    stack_id='' stack_status=absent stack_owner=ours stack_reason=''
    if answered stack; then
        stack_id=$(answer stack id)
        stack_status=$(answer stack stack_status)
        stack_reason=$(answer stack stack_status_reason)
        stack_tagged cloudlet-bundle || stack_owner=foreign
    elif ! not_found stack; then
        return 1
    fi
}

# stack_refresh: asks again; an answer that does not come is asked for three times.
stack_refresh() {
    stack_tries=0
    until stack_ask && asked_all && stack_judge; do
        stack_tries=$((stack_tries + 1))
        [ "$stack_tries" -lt 3 ] || trouble_stop stack "asking for stack $CB_NAME"
        sleep 5
    done
}

# stack_tagged TAG
stack_tagged() {
    LC_ALL=C awk -v tag="$1" '
        /^tags="/ { inside = 1 }
        inside { text = $0; gsub(/[\\"\047\[\], ]|^tags=/, "\n", text); n = split(text, word, "\n")
                 for (i = 1; i <= n; i++) if (word[i] == tag) found = 1 }
        inside && /\]"$/ { inside = 0 }
        END { exit !found }' "$work/stack"
}

# stack_output KEY: its strings, one a line, in order. Heat's JSON stands in the answer, indented by two.
stack_output() {
    LC_ALL=C awk -v key="$1" '
        /^outputs="/ { inside = 1 }
        !inside { next }
        /^\]"$/ { exit }
        { gsub(/\\"/, "\"") }
        /^  \}/ { mine = value = 0 }
        /^    "output_key": / { mine = index($0, "\"" key "\"") }
        /^    "output_value": / && mine { value = 1; sub(/^    "output_value": /, "") }
        /^    "description": / || /^    "output_error": / { value = 0 }
        value { sub(/^ *"[^"]*": /, ""); if (match($0, /"[^"]*"/)) print substr($0, RSTART + 1, RLENGTH - 2) }
        ' "$work/stack"
}

stack_bundle_tag() {
    printf 'bundle-%.32s' "$target_digest"
}

stack_inputs_tag() {
    printf 'inputs-%.32s' "$(printf '%s\n' "$target_digest" "$target_parameters" "$target_secrets" | sha256sum)"
}

# stack_step check|do|undo
stack_step() {
    case $1 in
    check)
        case $stack_status in
        DELETE_COMPLETE | absent | *_IN_PROGRESS | *_FAILED | SUSPEND_COMPLETE) return 1 ;;
        esac
        stack_tagged "$(stack_bundle_tag)" || return 1
        [ "$state_lost" = yes ] || stack_tagged "$(stack_inputs_tag)" || return 1
        step_id=$stack_id
        ;;
    do) stack_make ;;
    undo) stack_remove ;;
    esac
}

# stack_make: whatever is there, in the end there is this stack, complete.
stack_make() {
    case $stack_status in *_IN_PROGRESS) stack_wait ;; esac
    if stack_step check; then return 0; fi
    case $stack_status in
    absent | DELETE_COMPLETE) stack_change create ;;
    CREATE_FAILED)
        say "  the stack was not created completely; removing what there is of it"
        stack_remove
        stack_change create
        ;;
    DELETE_FAILED) stop 3 stack/half-deleted "stack $CB_NAME was to be deleted and is not" "Run: ./install.sh --uninstall" ;;
    *) stack_change update ;;
    esac
    stack_wait
    stack_step check || stack_failed
    step_id=$stack_id
}

# stack_change create|update: parameters and secrets go through one 0600 file, never through arguments.
stack_change() {
    stack_environment >"$work/environment.yaml"
    set -- "$1" -t "$target_folder/site/heat-template.yaml" -e "$target_folder/site/heat-environment.yaml" \
        -e "$work/environment.yaml" --tags "cloudlet-bundle,$(stack_bundle_tag),$(stack_inputs_tag)" --timeout 60
    if [ "$1" = update ]; then
        # --existing keeps what is not given: the secrets, when there is no secrets file.
        set -- "$@" --existing
        for stack_name in $(stack_dropped_parameters); do
            set -- "$@" --clear-parameter "$stack_name"
        done
    fi
    stack_verb=$1
    shift
    change stack-change "asking Heat to $stack_verb the stack" stack "$stack_verb" "$@" "$CB_NAME" -f shell || {
        rm -f "$work/environment.yaml"
        # A client that was killed may have been heard all the same: then the stack is there, with our tags.
        grep -q 'already exists' "$work/stack-change.error" || trouble_stop stack-change "$stack_verb of stack $CB_NAME"
    }
    rm -f "$work/environment.yaml"
}

# stack_environment: YAML for the client.
stack_environment() {
    printf 'parameters:\n  vm_image: "%s"\n  payload_image: "%s"\n' "$(step_id_of image-vm)" "$(step_id_of image-payload)"
    while IFS= read -r stack_line; do
        printf '  %s: %s\n' "${stack_line%%=*}" "$(yaml_string "${stack_line#*=}")"
    done <"$work/parameters"
    [ -z "$secrets_file" ] || secrets_yaml
}

# stack_dropped_parameters: the operator gave them to another bundle before, and not to this one.
stack_dropped_parameters() {
    cat "$state"/bundles/*/parameters 2>/dev/null | sed 's/=.*//' | LC_ALL=C sort -u | while IFS= read -r stack_line; do
        grep -q "^$stack_line=" "$work/parameters" || ! grep -q "^  $stack_line:" "$target_folder/site/heat-template.yaml" ||
            printf '%s\n' "$stack_line"
    done
}

# stack_wait: until Heat is done with it, one way or the other. Heat itself ends an action after --timeout.
stack_wait() {
    stack_began=$(seconds)
    stack_refresh
    while :; do
        case $stack_status in *_IN_PROGRESS) ;; *) break ;; esac
        ask resources stack resource list "$CB_NAME" -f value -c resource_name -c resource_status
        stack_refresh
        stack_done=$(grep -c '_COMPLETE$' "$work/resources" || :)
        stack_all=$(grep -c . "$work/resources" || :)
        progress "$stack_status: $stack_done of $stack_all resources, $(($(seconds) - stack_began)) s"
        sleep 4
    done
    progress_end
}

# stack_failed: says which resource failed and why, in Heat's words.
stack_failed() {
    client stack resource list "$CB_NAME" --filter status=FAILED -f value -c resource_name -c resource_type \
        >"$work/failed" 2>/dev/null || :
    printf '%s\n' "${stack_reason:-no reason given}" >"$work/stack-failed.error"
    trouble stack-failed
    case $verb in
    upgrade) stack_then="To try again, repeat this command. To go back: ./install.sh --rollback" ;;
    rollback) stack_then="To try again, repeat this command." ;;
    *) stack_then="To try again, repeat this command: what failed is made anew. To remove all: ./install.sh --uninstall" ;;
    esac
    stop 3 stack/failed "stack $CB_NAME is $stack_status: $trouble_what" \
        "Failed: $(tr '\n' ';' <"$work/failed")
$trouble_do
$stack_then"
}

# stack_remove: deletes it and waits until it is gone. Heat needs a second go now and then (a volume still detaching).
stack_remove() {
    stack_goes=0
    while [ "$stack_status" != absent ] && [ "$stack_status" != DELETE_COMPLETE ]; do
        case $stack_status in
        DELETE_IN_PROGRESS) ;;
        *)
            stack_goes=$((stack_goes + 1))
            [ "$stack_goes" -le 3 ] || stop 3 stack/not-deleted "stack $CB_NAME is $stack_status: $stack_reason" \
                "Look at: openstack stack resource list $CB_NAME. Then run this again."
            change stack-delete "asking Heat to delete the stack" stack delete --yes "$stack_id" || {
                # heatclient says what was wrong with each stack on its output, and as its error how many it was.
                cat "$work/stack-delete" >>"$work/stack-delete.error"
                # What an earlier run had asked for may have ended since this one looked.
                not_found stack-delete || trouble_stop stack-delete "deleting stack $CB_NAME"
            }
            ;;
        esac
        sleep 3
        stack_wait
    done
}
