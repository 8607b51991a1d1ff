# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# The gateway's own limit of connections: a stream of requests to a slow backend that may have two
# connections. Some get through, the others wait in vain (HAProxy) or are turned away (nginx). See run.
# shellcheck disable=SC2154 # work, state, top, only come from run

case_pool() { # GATEWAY [log]
	local gateway=$1 dir=$work/$1-pool${2:-} truth=$work/$1-pool${2:-}.tsv options=()
	gateway_is "$gateway" || return 1
	lab rows | cut -d '|' -f 2 | grep -qx pool-limit || { echo "skip: $gateway has no such limit in the lab"; return 1; }
	[ "${2:-}" != log ] || mapfile -t options < <(log_options "$gateway")
	why502_start "$dir" "${options[@]}" || return 1
	send "$truth" -r 50 -n 80 -d 4 --mix pool-limit || return 1
	settle "$dir" "$truth"
	why502_stop "$dir"
	# Never wrong; the first ones of a burst, before anything is known of the upstream, stay open.
	judge "$dir" "$truth" >"$truth.out" || grep -Eq '^seen ([0-9]+)/\1, .*, wrong 0, ' "$truth.join" ||
		{ cat "$truth.out"; return 1; }
	expect 'most of them called by their name' eval \
		"[ \$(of '$dir' '$truth' | grep -c '\"cause\":\"pool-limit\"') -ge 40 ]" || { cat "$truth.join"; return 1; }
	expect 'the two connections, counted' eval \
		"tail -n 1 '$dir/findings.ndjson' | grep -q '\"port\":9060},\"in_use\":[0-2],\"in_use_max\":2,'" || return 1
	[ "${2:-}" = log ] || return 0
	expect 'certain, by the log' eval \
		"! of '$dir' '$truth' | grep '\"cause\":\"pool-limit\"' | grep -v '\"confidence\":\"certain\"'"
}
