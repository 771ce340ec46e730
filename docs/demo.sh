#!/usr/bin/env bash
# Plays `pki` in a folder of its own: mutual TLS from nothing, then a
# three-tier hierarchy and its trust store.
#
#   docs/demo.sh PKI_BINARY [FOLDER]
#
# It needs nothing but the binary. Where openssl and curl are installed, they
# judge what was made.
set -euo pipefail

binary=$(realpath "$1")
folder=${2:-demo}

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' reset=$'\e[0m'
else
    bold='' dim='' green='' reset=''
fi

title() { printf '\n%s%s%s\n' "$bold" "$*" "$reset"; }
say() { printf '  %s\n' "$*"; }
good() { printf '  %s✓%s %s\n' "$green" "$reset" "$*"; }
fail() { printf 'demo: %s\n' "$*" >&2; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

# Shows a command as one would type it, and runs it. What it prints is shown
# only where it fails: the next command is more telling than ten reports.
try() {
    printf '  %s$%s %s\n' "$dim" "$reset" "$*"
    local said
    said=$("$@" 2>&1 </dev/null) || fail "$said"
}

show() {
    printf '  %s$%s %s\n' "$dim" "$reset" "$*"
    "$@" | sed 's/^/    /'
}

# The binary under test, by the name that users call it.
pki() { "$binary" "$@"; }

# --- a folder that this script may empty

mark=.made-by-the-demo
if [ -e "$folder" ] && [ ! -e "$folder/$mark" ]; then
    fail "$folder is in the way and was not made by the demo; move it, or name another folder"
fi
rm -rf "$folder"
mkdir -p "$folder"
cd "$folder"
touch "$mark"

(umask 077 && printf 'a demo is no secret\n' >passphrase)
export PKI_PASSPHRASE_FILE=passphrase
key=(--passout file:passphrase)

title '1. Mutual TLS from nothing'
try pki root --name rootCA
try pki subordinate --ca rootCA --name intermediate0
try pki issue --ca intermediate0 --profile server --cn www.example.test --out server "${key[@]}"
try pki issue --ca intermediate0 --cn localclient --out client "${key[@]}"
try pki bundle --ca intermediate0 --out truststore.pem

# --- who gets in

# A stranger has the same name, from a CA that the server does not know.
pki --store .stranger root --name strangers --no-passphrase >/dev/null 2>&1
pki --store .stranger issue --ca strangers --cn localclient --out .stranger/out \
    --no-passphrase >/dev/null 2>&1

server=
stop() { [ -z "$server" ] || { kill "$server" 2>/dev/null && wait "$server" 2>/dev/null; } || true; }
trap stop EXIT

serve() {
    # Port 0 is any free one; openssl prints which. The log is there before the server is.
    : >.server.log
    openssl s_server -www -accept 127.0.0.1:0 -Verify 2 -verify_return_error \
        -cert server/www.example.test.crt -cert_chain server/www.example.test.chain.pem \
        -key server/www.example.test.key -pass file:passphrase \
        -CAfile truststore.pem >.server.log 2>&1 </dev/null &
    server=$!
    local tries port_line='s/^ACCEPT .*:\([0-9]*\)$/\1/p'
    for tries in $(seq 1000); do
        port=$(sed -n "$port_line" .server.log)
        [ -z "$port" ] || return 0
        kill -0 "$server" 2>/dev/null || fail "openssl s_server ended: $(cat .server.log)"
        sleep 0.05
    done
    fail "openssl s_server names no port: $(cat .server.log)"
}

knock() {
    curl --silent --output /dev/null --write-out '%{http_code}' --noproxy '*' \
        --cacert pki/rootCA/ca.crt --connect-to "www.example.test:443:127.0.0.1:$port" \
        "$@" https://www.example.test/ || true
}

expect() {
    local who=$1 status=$2
    shift 2
    local answer
    answer=$(knock "$@")
    [ "$answer" = "$status" ] || fail "$who: the server answered $answer instead of $status"
}

title 'Who gets in'
if has openssl && has curl; then
    serve
    expect localclient 200 --cert client/localclient.fullchain.pem \
        --key client/localclient.key --pass "$(cat passphrase)"
    good 'localclient                  let in (200)'
    expect nobody 000
    good 'no certificate               refused in the handshake'
    expect stranger 000 --cert .stranger/out/localclient.crt --key .stranger/out/localclient.key
    good 'localclient of another CA    refused in the handshake'
    stop
    server=
else
    say 'openssl or curl is not installed here, so nobody knocked.'
fi

title '2. Three tiers, one trust store'
try pki subordinate --ca rootCA --name intermediate1
try pki subordinate --ca intermediate1 --name intermediate2
try pki issue --ca intermediate2 --cn client2 --out client2 "${key[@]}"
try pki bundle --ca intermediate0 --ca intermediate2 --out truststore.pem
show pki tree

if has openssl; then
    title 'What openssl says'
    for leaf in client/localclient.crt client2/client2.crt; do
        openssl verify -x509_strict -purpose sslclient -CAfile truststore.pem "$leaf" >/dev/null ||
            fail "$leaf does not verify against truststore.pem"
        good "$leaf verifies against truststore.pem"
    done
    good "truststore.pem: $(grep -c BEGIN truststore.pem) certificates, each once, complete to the root"
fi

title "Everything is in $(pwd)"
say 'pki/             the store: CAs, counters, what was issued'
say 'server/          for nginx, Node, …: certificate, chain, encrypted key'
say 'client/ client2/ for curl, browsers, devices: the same'
say 'truststore.pem   for whoever checks clients'
say 'passphrase       opens every key here'

title 'Next'
say "cd $folder && export PKI_PASSPHRASE_FILE=passphrase PATH=\"$(dirname "$binary"):\$PATH\""
say 'pki list                                     what was issued'
say 'pki show client/localclient.crt              what is in it'
say 'pki issue --ca intermediate0 --cn alice --out alice --passout file:passphrase'
