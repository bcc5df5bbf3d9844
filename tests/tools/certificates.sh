# shellcheck shell=bash
# certificates.sh - identities of every kind, good and bad, made once.
#
#   ca                  trusted by both sides
#   source, target      good: SAN source; target localhost 127.0.0.1 ::1
#   cn                  no SAN, the CN says source
#   source-expired, target-expired
#   source-imposter, target-imposter   of the CA, with another name
#   source-stranger, target-stranger   the right name, of another CA
#   psk, psk-wrong      "clone:hex", two keys
#
# Files NAME.crt and NAME.key, and psk.txt, psk-wrong.txt, in $CERTS.

certificates_make() # DIR: kept for later tests
{
    CERTS=$1
    [ ! -e "$CERTS/complete" ] || return 0
    require openssl
    mkdir -p "$CERTS"
    (
        flock 9
        [ -e "$CERTS/complete" ] || certificates_issue_all
    ) 9>"$CERTS/lock" >"$CERTS/openssl.log" 2>&1 ||
        fail "openssl: $(tail -n 5 "$CERTS/openssl.log")"
}

certificates_issue_all()
{
    local at="DNS:target,DNS:localhost,IP:127.0.0.1,IP:::1"

    cd "$CERTS" || return
    certificates_root ca
    certificates_root stranger-ca
    certificates_issue ca source source DNS:source
    certificates_issue ca target target "$at"
    certificates_issue ca cn source ''
    certificates_issue ca source-expired source DNS:source 20200101000000Z
    certificates_issue ca target-expired target "$at" 20200101000000Z
    certificates_issue ca source-imposter imposter DNS:imposter
    certificates_issue ca target-imposter imposter DNS:imposter
    certificates_issue stranger-ca source-stranger source DNS:source
    certificates_issue stranger-ca target-stranger target "$at"
    echo "clone:$(openssl rand -hex 32)" >psk.txt
    echo "clone:$(openssl rand -hex 32)" >psk-wrong.txt
    chmod 600 psk.txt psk-wrong.txt
    certificates_check && touch complete
}

# Nothing stopped at an error above: "set -e" does not reach into an "||".
certificates_check()
{
    local name

    for name in ca {source,target}{,-expired,-imposter,-stranger} cn; do
        [ -s "$name.crt" ] && [ -s "$name.key" ] || return
    done
}

certificates_root() # NAME
{
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
        -keyout "$1.key" -out "$1.crt" -days 3650 -subj "/CN=clonewire $1" \
        -addext keyUsage=critical,keyCertSign,cRLSign
}

# "openssl ca", since "openssl x509" cannot set the date of an end.
certificates_issue() # CA NAME CN SAN [END]
{
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
        -keyout "$2.key" -out "$2.csr" -subj "/CN=$3"
    : >index.txt
    cat >ca.conf <<END
[ca]
default_ca = issuer
[issuer]
database = index.txt
new_certs_dir = .
rand_serial = yes
unique_subject = no
default_md = sha256
policy = anything
[anything]
commonName = supplied
[leaf]
basicConstraints = CA:FALSE
keyUsage = digitalSignature
extendedKeyUsage = serverAuth,clientAuth
${4:+subjectAltName = $4}
END
    openssl ca -batch -notext -config ca.conf -extensions leaf \
        -cert "$1.crt" -keyfile "$1.key" -in "$2.csr" -out "$2.crt" \
        -startdate 20190101000000Z -enddate "${5:-20990101000000Z}"
}
