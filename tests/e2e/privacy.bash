# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# What may not leave the tool. Sourced by run.
# shellcheck disable=SC2154 # work, state, top come from run

# Everything a client may send that is nobody's business, once over HTTP/1 and once over HTTP/2.
secret_get() { # PATH-PREFIX URL CURL-OPTIONS...
	local tag=$1 url=$2
	shift 2
	lab exec client curl -sk -o /dev/null --max-time 5 -A "agent-$tag" \
		-H 'Authorization: Bearer s3cr3t-bearer' -H 'Cookie: sid=s3cr3t-cookie' \
		-H 'X-Api-Key: s3cr3t-key' -d 'pin=s3cr3t-body' "$@" \
		"$url/conn-refused/$tag?x=1&access_token=s3cr3t-query&to%6ben=s3cr3t-query"
}

told() { lines "$1/findings.ndjson" "\"target\":\"/conn-refused/$2?x=1&access_token=" 1 6; }

case_secrets_masked() {
	local dir=$work/masked plain=$work/unmasked
	mkdir -p "$dir/files" "$plain"
	why502_start "$dir" --pcap-dir "$dir/files" -w "$dir/all.w5" || return 1
	secret_get one http://10.77.1.1:8080
	secret_get two https://10.77.1.1:8443 --http2
	told "$dir" one || { echo 'no finding about HTTP/1'; return 1; }
	told "$dir" two || { echo 'no finding about HTTP/2'; return 1; }
	why502_stop "$dir"
	expect 'packets were saved' eval "ls '$dir'/files/*.pcap* >/dev/null" || return 1
	"$O/why502" -r "$dir/all.w5" -o text >"$dir/text"
	"$O/why502" -r "$dir/all.w5" -o tui --screen 160x40 --keys Enter >"$dir/screen"
	"$O/why502" -r "$dir/all.w5" -o ndjson --show-secrets >"$dir/again"
	! grep -rla s3cr3t "$dir" || { echo 'expected: no secret in the files above'; return 1; }
	grep '"type":"finding"' "$dir/findings.ndjson" >"$dir/live"
	grep '"type":"finding"' "$dir/again" | diff - "$dir/live" | head -n 4 | grep . && return 1

	why502_start "$plain" --show-secrets --pcap-bodies -w "$plain/all.w5" || return 1
	secret_get three http://10.77.1.1:8080
	told "$plain" three || return 1
	why502_stop "$plain"
	expect 'a secret that was asked for' grep -q 'access_token=s3cr3t-query' "$plain/findings.ndjson" || return 1
	expect 'the trace has them all' grep -qa 's3cr3t-bearer' "$plain/all.w5" || return 1
	# masked when it is read, unless asked for again
	"$O/why502" -r "$plain/all.w5" -o ndjson >"$plain/masked"
	expect 'they are masked in a replay' eval "! grep -q s3cr3t '$plain/masked'"
}
