# The command line of install.sh.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

arguments_help() {
    cat <<'END'
Usage: ./install.sh --trust KEY [OPTION]...

Makes the PlatformVM that this bundle describes, with the site's own client and your login to it: site/runbook.md tells
which. It may be stopped and run again at any time; it contacts nothing but the site itself.

What to do (one of):
  (none)               verify, check, show the plan, ask, install; after success it changes nothing
  --upgrade            from a newer bundle: replace release, parameters or secrets, keep addresses
  --rollback           go back to what was installed before the last upgrade
  --uninstall          remove everything that was made, and prove it
  --status             show what is there
  --ova FILE           of a vSphere or vCD bundle: write its OVF package as one OVA, for who deploys it by hand
and, of installing, --upgrade and --rollback, without changing anything:
  --check              lists every finding
  --plan               the same, and what would be done

Options:
  --trust KEY          the signer's public key (PEM file), the signers' trust policy (file), or the fingerprint of either,
                       SHA256:<64 hex digits>, got by another channel than the bundle; "none" skips the signature and says
                       so in the receipt
  --allow-older        install a bundle that is older than one that was installed here before, or has an older trust
                       policy; journal and receipt say so
  --secrets FILE       the secrets (mode 0600), as site/secrets.template describes
  --parameter N=V      what only the site knows, such as flavor=m1.large in OpenStack; may be repeated
  --parts DIR          where the parts of this bundle lie, if its big files are not here yet: each is proven, and what is
                       in it is put in its place first
  --state DIR          where the journal is kept (default: ~/.local/state/cloudlet-bundle/<name>)
  --receipt FILE       where the receipt is written (default: receipt.json in the state directory)
  --local              this machine is to be the PlatformVM (of a VM pool only)
  --yes                do not ask
  --quiet              say only what is wrong
  --no-colour          no colours (also: NO_COLOR)
  --help, --version

Exit status: 0 done, 1 findings, 2 usage, 3 the environment failed, 130 interrupted.

Examples:
  ./install.sh --trust platform-key.pem --check
  ./install.sh --trust platform-key.pem --secrets ~/cloudlet.secrets --parameter external_network_1=provider-7
END
}

# arguments_read ARG...: sets verb, only (check, plan or empty), trust, allow_older, secrets_file, state, receipt_file, ova_file, yes, quiet, colour, parameters_given, on_machine, parts_given.
arguments_read() {
    verb='' only='' trust='' allow_older=no secrets_file='' state='' receipt_file='' ova_file='' yes=no quiet=no colour=yes parameters_given='' on_machine=no parts_given=''
    while [ $# -gt 0 ]; do
        case $1 in
        --check | --plan)
            [ -z "$only" ] || arguments_wrong "$1 and --$only exclude each other"
            only=${1#--}
            ;;
        --upgrade | --rollback | --uninstall | --status)
            [ -z "$verb" ] || arguments_wrong "$1 and --$verb exclude each other"
            verb=${1#--}
            ;;
        --trust=* | --secrets=* | --parts=* | --state=* | --receipt=* | --parameter=* | --ova=*)
            argument=$1
            shift
            set -- "${argument%%=*}" "${argument#*=}" "$@"
            continue
            ;;
        --trust | --secrets | --parts | --state | --receipt | --parameter | --ova)
            [ $# -ge 2 ] && [ -n "$2" ] || arguments_wrong "$1 needs a value"
            arguments_value "$1" "$2"
            shift
            ;;
        --local)
            [ -f "$here/lib/$CB_PLATFORM-local.sh" ] || arguments_wrong "--local: a bundle for $CB_PLATFORM is not installed from its own PlatformVM"
            on_machine=yes
            ;;
        --allow-older) allow_older=yes ;;
        --yes) yes=yes ;;
        --quiet) quiet=yes ;;
        --no-colour | --no-color) colour=no ;;
        --help | -h)
            arguments_help
            exit 0
            ;;
        --version)
            printf 'install.sh of %s, release %s (sequence %s), format %s\n' \
                "$CB_CLOUDLET" "$CB_RELEASE" "$CB_RELEASE_SEQUENCE" "$CB_FORMAT"
            exit 0
            ;;
        *) arguments_wrong "unknown argument: $1" ;;
        esac
        shift
    done
    verb=${verb:-install}
    case $only:$verb in
    check:uninstall | check:status | check:ova | plan:uninstall | plan:status | plan:ova) arguments_wrong "--$only does not go with --$verb" ;;
    esac
    case $allow_older:$verb in
    yes:rollback | yes:uninstall | yes:status | yes:ova) arguments_wrong "--allow-older does not go with --$verb" ;;
    esac
}

arguments_value() {
    case $1 in
    --trust) trust=$2 ;;
    --secrets) secrets_file=$(arguments_absolute "$2") ;;
    --parts) parts_given=$(arguments_absolute "$2") ;;
    --state) state=$(arguments_absolute "$2") ;;
    --receipt) receipt_file=$(arguments_absolute "$2") ;;
    --ova)
        [ -f "$here/lib/ova.sh" ] || arguments_wrong "--ova: a bundle for $CB_PLATFORM holds no OVF package"
        [ -z "$verb" ] || arguments_wrong "--ova and --$verb exclude each other"
        verb=ova
        ova_file=$(arguments_absolute "$2")
        ;;
    --parameter)
        parameters_allowed "$2"
        parameters_given="$parameters_given$2
"
        ;;
    esac
}

# arguments_absolute PATH: the script works from the bundle's folder, the operator from wherever he is.
arguments_absolute() {
    case $1 in
    /*) printf '%s' "$1" ;;
    *) printf '%s/%s' "$caller_folder" "$1" ;;
    esac
}

arguments_wrong() {
    told=yes
    printf 'install.sh: %s\nTry: ./install.sh --help\n' "$1" >&2
    exit 2
}
