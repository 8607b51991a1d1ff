# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# Where the TLS library is: in the program itself, and its symbols nowhere else.
# shellcheck disable=SC2154 # state, work and pid_of come from run and lib.bash

# curl_tls URL [CURL_OPTIONS...]: in the gateway's namespace
curl_tls() {
	lab exec gateway curl -sk -o /dev/null --max-time 5 "$@"
}

# A gateway of no known name is one from its first connect on: what it answered before that was
# not read. The second request and all after it must be told.
case_static_library() {
	local dir=$work/static gate i
	[ -x "$O/e2e-tlsgate" ] || { echo 'skip: no static libssl here to build e2e-tlsgate'; return 1; }
	why502_start "$dir" || return 1
	lab exec gateway "$O/e2e-tlsgate" 9443 9 "$state/tls/cert.pem" "$state/tls/key.pem" &
	gate=$!
	pid_of[tlsgate]=$gate
	for i in $(seq 50); do
		curl_tls https://127.0.0.1:9443/first && break
		read -rt 0.1 <> <(:)
	done
	lines "$dir/findings.ndjson" '"target":"/first"' 1 1 "${pid_of[$dir]}" || :
	for i in 1 2 3; do curl_tls "https://127.0.0.1:9443/static-$i"; done
	lines "$dir/findings.ndjson" '"target":"/static-[123]"' 3 6 "${pid_of[$dir]}"
	why502_stop "$dir"
	kill "$gate" 2>/dev/null
	wait "$gate" 2>/dev/null
	unset 'pid_of[tlsgate]'
	expect 'three findings, all of them conn-refused' \
		[ "$(grep -c '"target":"/static-[123]".*"cause":"conn-refused"\|"cause":"conn-refused".*"target":"/static-[123]"' "$dir/findings.ndjson")" = 3 ]
}
