#!/bin/sh
# Checks the published vectors with a POSIX shell, awk and the openssl command line (3.0 or newer) only.
#
#   sh check.sh FOLDER
#
# FOLDER holds sm.json, proof-*.json and crossing.json. The files have one member a line, so awk can read them. Of the
# crossing the digests of the bytes are checked: its results need a running gateway (check.py, check.mjs).
# Exit status: 1 when a vector does not come out as published.

set -u
folder=$1
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
LC_ALL=C
export LC_ALL
wrong=0
summary=checked

failed() { wrong=$((wrong + 1)); printf 'FAILED %s\n' "$*"; }
unbase64() { printf '%s' "$1" | openssl base64 -d -A; }
sm3() { openssl dgst -sm3 -r "$@" | cut -c1-64; }
sha256() { openssl dgst -sha256 -r | cut -c1-64; }
lower() { printf '%s' "$1" | tr 'A-Z' 'a-z'; }
# the value of a member that stands before the vectors
top() { sed -n "s/^ *\"$2\": \"*\([^\",]*\)\"*,*\$/\1/p;/\"vectors\": \[/q" "$folder/$1.json" | sed -n "${3:-1}p"; }

# file members… → a line for each vector: the members named, parted by |, in lower case as headers are
lines() {
    file=$1
    shift
    awk -v names="$*" '
        function put(name, value) {
            gsub(/\\"/, "\"", value)
            held[tolower(name)] = value
        }
        BEGIN { count = split(names, wanted, " ") }
        /^  \{$/ { split("", held); nonces = 0; inside = 1 }
        nonces && /^    "/ { gsub(/[ ",]/, ""); put("seen_nonces", $0) }
        /"seen_nonces": \[$/ { nonces = 1; next }
        /^   \]/ { nonces = 0 }
        /^ +"[^"]+": ".*",?$/ {
            name = $0; sub(/^ +"/, "", name); sub(/": .*/, "", name)
            value = $0; sub(/^ +"[^"]+": "/, "", value); sub(/",?$/, "", value)
            put(name, value)
        }
        /^ +"[^"]+": [0-9a-z]+,?$/ {
            name = $0; sub(/^ +"/, "", name); sub(/": .*/, "", name)
            value = $0; sub(/^ +"[^"]+": /, "", value); sub(/,$/, "", value)
            put(name, value)
        }
        /^  \}/ && inside && (wanted[1] != "id" || "id" in held) {
            inside = 0
            line = ""
            for (n = 1; n <= count; n++) line = line (n > 1 ? "|" : "") held[wanted[n]]
            print line
        }' "$folder/$file.json"
}

# name file… : were as many checked as the file announces?
counted() {
    summary="$summary $1=$2"
    [ "$2" = "$(top "$1" count)" ] || failed "$1: $(top "$1" count) vectors announced, $2 checked"
}

is() { [ "$2" = "$3" ] || failed "$1: expected $2, found $3"; }

# SM2 with SM3 and the signer id: key file, message file, signature file
sm2_is_valid() {
    openssl pkeyutl -verify -rawin -digest sm3 -pubin -inkey "$1" -in "$2" -sigfile "$3" \
        -pkeyopt distid:1234567812345678 >"$work/said" 2>&1
}

# --- the building blocks ---

blocks() {
    count=0
    while IFS='|' read -r message key digest mac pem signature valid; do
        count=$((count + 1))
        unbase64 "$message" >"$work/message"
        if [ -n "$digest" ]; then
            is "sm sm3-$count" "$digest" "$(sm3 "$work/message")"
        elif [ -n "$mac" ]; then
            hex=$(unbase64 "$key" | od -An -v -tx1 | tr -d ' \n')
            is "sm hmac-sm3-$count" "$mac" "$(openssl dgst -sm3 -mac HMAC -macopt "hexkey:$hex" -r "$work/message" | cut -c1-64)"
        else
            printf '%b' "$pem" >"$work/key.pem"
            unbase64 "$signature" >"$work/signature"
            sm2_is_valid "$work/key.pem" "$work/message" "$work/signature" && found=true || found=false
            is "sm sm2-$count" "$valid" "$found"
        fi
    done <"$work/sm"
    counted sm "$count"
}

# --- the proofs ---

# the judges answer in $found: "accepted" or status and code

judge_sichuan() {
    case $(lower "$type" | tr -d ' "') in
        'application/json' | 'application/json;charset=utf-8') ;;
        *) found='415 9031' && return ;;
    esac
    found='401 9001'
    [ -n "$caller" ] && [ -n "$stamp" ] && [ -n "$nonce" ] && [ -n "$signature" ] && [ -n "$digest" ] || return
    [ "$caller" = "$paasid" ] || return
    case $stamp in *[!0-9]* | ????????????*) return ;; esac
    case $nonce in *[!0-9A-Za-z_-]*) return ;; esac
    [ ${#nonce} -ge 8 ] && [ ${#nonce} -le 64 ] || return
    [ "$(lower "$signature")" = "$(printf '%s%s%s%s' "$stamp" "$token" "$nonce" "$stamp" | sha256)" ] || return
    mac=$({ printf '%s\n%s\n' "$stamp" "$nonce" && cat "$work/body"; } | openssl dgst -sm3 -hmac "$token" -r | cut -c1-64)
    found='401 9004'
    [ "$(lower "$digest")" = "$mac" ] || return
    found='403 9010'
    [ "$enabled" = true ] || return
    found='401 9002'
    [ $((now - stamp)) -le "$window" ] && [ $((stamp - now)) -le "$window" ] || return
    found='401 9003'
    [ "$nonce" != "$seen" ] || return
    found=accepted
}

# Beijing time "2026-11-23 16:00:00" as Unix seconds: days by the civil calendar, eight hours back
unix() {
    printf '%s\n' "$1" | awk -F '[-: ]' '{
        y = $1 - ($2 <= 2); m = ($2 + 9) % 12; era = int(y / 400); yoe = y - era * 400
        doe = yoe * 365 + int(yoe / 4) - int(yoe / 100) + int((153 * m + 2) / 5) + $3 - 1
        printf "%d\n", ((era * 146097 + doe - 719468) * 24 + $4 - 8) * 3600 + $5 * 60 + $6 }'
}

judge_chongqing() {
    [ "$(lower "$type" | tr -d ' "')" = 'application/xml;charset=gb18030' ] || { found='415 9031' && return; }
    found='401 9001'
    [ -n "$caller" ] && [ -n "$digest" ] && [ -n "$signature" ] || return
    [ "$caller" = "$(cat "$work/$sender.id")" ] || return
    found='401 9004'
    [ "$(lower "$digest")" = "$(sm3 "$work/body")" ] || return
    found='401 9001'
    unbase64 "$signature" >"$work/signature" 2>/dev/null
    sm2_is_valid "$work/$sender.pem" "$work/body" "$work/signature" || return
    found='403 9010'
    [ "$enabled" = true ] || return
    found='401 9002'
    sent=$(unix "$(sed -n 's/.*<FSSJ>\([^<]*\)<\/FSSJ>.*/\1/p' "$work/body")")
    [ $((now - sent)) -le "$window" ] && [ $((sent - now)) -le "$window" ] || return
    found=accepted
}

verdict() { [ "$1" = accepted ] && printf accepted || printf '%s %s' "$2" "$3"; }

sichuan() {
    count=0 paasid=$(top proof-sichuan paasid) token=$(top proof-sichuan token) window=$(top proof-sichuan window_s)
    while IFS='|' read -r id now enabled seen body says status code type caller stamp nonce signature digest; do
        count=$((count + 1))
        unbase64 "$body" >"$work/body"
        judge_sichuan
        is "proof-sichuan $id" "$(verdict "$says" "$status" "$code")" "$found"
    done <"$work/proof-sichuan"
    counted proof-sichuan "$count"
}

chongqing() {
    count=0 window=$(top proof-chongqing window_s)
    for n in 1 2; do
        who=$([ "$n" = 1 ] && echo region || echo gateway)
        top proof-chongqing client_id "$n" >"$work/$who.id"
        printf '%b' "$(top proof-chongqing public_key_pem "$n")" >"$work/$who.pem"
    done
    while IFS='|' read -r id now enabled sender body says status code type caller digest signature; do
        count=$((count + 1))
        unbase64 "$body" >"$work/body"
        judge_chongqing
        is "proof-chongqing $id" "$(verdict "$says" "$status" "$code")" "$found"
    done <"$work/proof-chongqing"
    counted proof-chongqing "$count"
}

# --- the crossing: the bytes are those the digests were made of ---

crossing() {
    count=0
    mkdir "$work/bytes"
    while IFS='|' read -r id in in_sm3 out out_sm3; do
        count=$((count + 1))
        unbase64 "$in" >"$work/bytes/$id.in"
        printf '%s *%s.in\n' "$in_sm3" "$id"
        [ -z "$out" ] || { unbase64 "$out" >"$work/bytes/$id.out" && printf '%s *%s.out\n' "$out_sm3" "$id"; }
    done <"$work/crossing" >"$work/announced"
    (cd "$work/bytes" && openssl dgst -sm3 -r -- *) | sort >"$work/found"
    sort "$work/announced" >"$work/expected"
    differing=$(diff "$work/expected" "$work/found" | sed -n 's/^<.* \*/crossing /p')
    for name in $differing; do [ "$name" = crossing ] || failed "crossing $name: another digest"; done
    counted crossing "$count"
}

proof='body_base64 verdict status code content-type'
lines sm message_base64 key_base64 sm3 hmac_sm3 public_key_pem signature_base64 valid >"$work/sm"
lines proof-sichuan id now enabled seen_nonces $proof \
    x-tif-paasid x-tif-timestamp x-tif-nonce x-tif-signature x-body-sm3 >"$work/proof-sichuan"
lines proof-chongqing id now enabled sender $proof x-cq-clientid x-cq-sm3 x-cq-sign >"$work/proof-chongqing"
lines crossing id in_base64 in_sm3 out_base64 out_sm3 >"$work/crossing"
blocks
sichuan
chongqing
crossing
echo "$summary failed=$wrong"
[ "$wrong" = 0 ]
