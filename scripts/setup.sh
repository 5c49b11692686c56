#!/bin/sh
# Installs what the repository needs: its packages by lock file and, with "tools", Debian's tools that the fast tests use.
#
# usage: setup.sh [tools]
set -eu

cd "$(dirname "$0")/.."

# What the fast layers call besides Node: two more shells, two more tar readers, PyYAML, shellcheck, a terminal.
tools='busybox ksh shellcheck libarchive-tools python3 python3-yaml openssl xz-utils'

main() {
    install_packages
    [ "${1:-}" = tools ] || return 0
    [ "$(id -u)" -ne 0 ] || refresh_lists
    install_tools
}

# npm ci only where the installed tree is not the one of the lock file.
install_packages() {
    if cmp -s package-lock.json node_modules/.installed-lock; then
        return
    fi
    printf 'setup: installing packages\n' >&2
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2
    # tap is built once for the plugins that .taprc names.
    PATH="$PWD/node_modules/.bin:$PATH" tap build >/dev/null
    cp package-lock.json node_modules/.installed-lock
}

# The package lists of a fresh machine are empty; old ones name versions that are no longer served.
refresh_lists() {
    [ -z "$(find /var/lib/apt/lists -name '*Packages*' -mtime -1 2>/dev/null | head -n 1)" ] || return 0
    apt-get -qq -o DPkg::Lock::Timeout=900 update || printf 'setup: the package lists could not be refreshed\n' >&2
}

install_tools() {
    missing=
    for tool in $tools; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$tool" 2>/dev/null)" = installed ] || missing="$missing $tool"
    done
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        printf 'setup: please install, as root:%s\n' "$missing" >&2
        exit 3
    fi
    printf 'setup: installing%s\n' "$missing" >&2
    # shellcheck disable=SC2086  # a list of words
    apt_install $missing
}

apt_install() {
    DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=900 install --no-install-recommends "$@" </dev/null >/dev/null
}

main "$@"
