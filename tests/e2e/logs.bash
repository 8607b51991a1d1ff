# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# The access log as a second witness: alone, where nothing of the clients' TLS is read
# (--no-tls-probes), and beside the wire, where it must double nothing. See run.
# shellcheck disable=SC2154 # work, state, top, only come from run

# log_faults GATEWAY: what leaves a line of 500 or above. HAProxy closes in silence, and without
# a line, where a backend did so to it.
log_faults() {
	echo conn-refused backend-502 backend-slow gateway-timeout-local
	[ "$1" = haproxy ] || echo closed-before-response reset-before-response truncated-header
}

# log_of GATEWAY: its access log, and the format where it is not found out
log_of() {
	case $1 in
	nginx) echo "$state/log/access.log" ;;
	*) echo "$state/log/$1.log" ;;
	esac
}
log_options() {
	printf '%s\n' --access-log "$(log_of "$1")"
	[ "$1" != haproxy ] || printf '%s\n' --log-format "$(sed -n 's/^[ \t]*log-format "\(.*\)"$/\1/p' "$state/gateway/haproxy.cfg" | head -n 1)"
}

# witnesses DIR TRUTH: who saw the status, a word per finding about TRUTH
witnesses() { of "$1" "$2" | sed -n 's/.*"status_witness":"\([^"]*\)".*/\1/p'; }

case_log_alone() { # GATEWAY
	local gateway=$1 dir=$work/$1-log truth=$work/$1-log.tsv options
	gateway_is "$gateway" || return 1
	mapfile -t options < <(log_options "$gateway")
	why502_start "$dir" --no-tls-probes "${options[@]}" || return 1
	send "$truth" --tls -r 100 -n 3 -d 1.5 --mix "$(log_faults "$gateway" | tr -s ' \n' , | sed 's/,$//')" || return 1
	settle "$dir" "$truth"
	why502_stop "$dir"
	# Never wrong; where nothing but the time ties a connect to its line, one may stay open.
	judge "$dir" "$truth" >"$truth.out" ||
		grep -Eq '^seen ([0-9]+)/\1, .*, wrong 0, unknown [01],' "$truth.join" ||
		{ cat "$truth.out"; return 1; }
	expect 'the log as the only witness' [ "$(witnesses "$dir" "$truth" | sort -u)" = log ] || return 1
	expect 'every line understood' eval "tail -n 1 '$dir/findings.ndjson' | grep -q '\"log-lines\":0'" || return 1
	expect 'healthy requests counted from the log' eval \
		"tail -n 1 '$dir/findings.ndjson' | grep -Eq '\"logged\":1[0-9][0-9]'"
}

# On plain HTTP the wire tells all; each exchange has one finding.
case_log_beside() {
	local dir=$work/log-beside truth=$work/log-beside.tsv
	gateway_is nginx || return 1
	why502_start "$dir" --access-log "$(log_of nginx)" || return 1
	send "$truth" -r 100 -n 4 -d 1.5 --mix core || return 1
	settle "$dir" "$truth"
	# longer than a line waits for its exchange
	lines "$dir/findings.ndjson" '"status_witness":"log"' 1 1 && { echo 'told twice:'; grep '"status_witness":"log"' "$dir/findings.ndjson"; return 1; }
	why502_stop "$dir"
	judge "$dir" "$truth" || return 1
	expect 'no finding of the log alone' [ -z "$(witnesses "$dir" "$truth" | grep -x log)" ] || return 1
	expect 'findings that both have seen' [ "$(witnesses "$dir" "$truth" | grep -cx 'wire+log')" -ge 8 ]
}

case_log_rotated() {
	local dir=$work/log-rotated truth=$work/log-rotated.tsv log
	gateway_is nginx || return 1
	log=$(log_of nginx)
	why502_start "$dir" --no-tls-probes --access-log "$log" || return 1
	send "$truth.1" --tls -r 0 -n 2 -d 0.1 --mix conn-refused || return 1
	mv "$log" "$log.1"
	kill -USR1 "$(cat "$state/gateway/pid")"
	for _ in $(seq 100); do
		[ -e "$log" ] && break
		read -rt 0.05 <> <(:)
	done
	send "$truth" --tls -r 0 -n 2 -d 0.1 --mix conn-refused || return 1
	settle "$dir" "$truth"
	why502_stop "$dir"
	expect 'findings of before the rotation' [ "$(of "$dir" "$truth.1" | wc -l)" = 2 ] || return 1
	expect 'findings of after it' [ "$(of "$dir" "$truth" | wc -l)" = 2 ]
}
