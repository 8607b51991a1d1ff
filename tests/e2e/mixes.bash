# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# Many faults among healthy requests in one go, for every gateway and every way a client or a
# backend can speak: see run. First a case that sends it all, then one per fault that judges.
# shellcheck disable=SC2154 # work, state, top, only come from run

# Refused, silent, reset, closed, cut, slow; the race, which HAProxy and Apache answer with an
# empty close; what a backend said itself; a body cut short, which Caddy hides; a retry; a client
# that did not wait; no such name; no packet at all; a backend that was killed.
some_faults='conn-refused conn-timeout-syn host-unreachable-icmp reset-before-response
	closed-before-response truncated-header keepalive-race keepalive-race-fin backend-502 backend-slow
	gateway-timeout-local no-live-upstream client-abort retry-refused retry-reset retry-race dns-nxdomain
	no-route backend-killed truncated-body truncated-chunked backend-continue-502'

# How clients speak (options of lab load), or "backends": plain clients, but TLS and HTTP/2 behind.
declare -A mix_options=(
	[plain]=''
	[tls]='--tls'
	[h2]='--tls --h2'
	[h2c]='--h2'
	[backends]='--ok-tls'
)

# mix_ways GATEWAY: the rows of faults.tab over plain HTTP are cases of their own with nginx
mix_ways() {
	case $1 in
	nginx) echo tls h2 h2c backends ;;
	*) echo plain tls h2 backends ;;
	esac
}

# mix_faults GATEWAY WAY: names, as far as this gateway, which is up, has them
mix_faults() {
	local sets='core wide' some='' how=${mix_options[$2]#--ok-tls}
	case $1-$2 in
	*-backends) sets='tls h2up' ;;
	*-plain|nginx-tls|nginx-h2) ;;
	*) some=$(xargs <<<"$some_faults") ;;
	esac
	# shellcheck disable=SC2086 # one word per set
	lab rows ${how#--tls} $sets | awk -F '|' -v some="${some:+ $some }" '
		some == "" || index(some, " " $2 " ") { print $2 }'
}

# gateway_is NAME: the lab is up with this one
gateway_is() {
	[ "$(cat "$state/name" 2>/dev/null)" != "$1" ] || return 0
	lab up --gateway "$1" >"$work/up" 2>&1 && return
	grep -q 'is missing' "$work/up" && echo "skip: $(cat "$work/up")"
	cat "$work/up"
	return 1
}

# warm_up DIR OPTION...: every thread of the gateway has been at work once since why502 came. What one
# does first of all has no trail.
warm_up() {
	local dir=$1
	shift
	send "$dir.warm" "$@" -r 300 -n 0 -d 0.5
}

case_mix() { # GATEWAY WAY
	local dir=$work/$1-$2 truth=$work/$1-$2.tsv faults
	gateway_is "$1" || return 1
	mapfile -t faults < <(mix_faults "$1" "$2")
	why502_start "$dir" || return 1
	# shellcheck disable=SC2086 # one word per option
	warm_up "$dir" ${mix_options[$2]} || return 1
	# 25 faults a second: connects that HAProxy tries again after a second, streams that any of
	# Apache's or Caddy's threads serve are not so many at a time that they cannot be told
	# apart by thread and time. How often that fails is what accuracy measures.
	# shellcheck disable=SC2086 # one word per option
	send "$truth" ${mix_options[$2]} -r 200 -n 8 -d $(((${#faults[@]} * 8 + 24) / 25)) \
		--mix "$(IFS=,; echo "${faults[*]}")" || return 1
	settle "$dir" "$truth"
	why502_stop "$dir"
	lab access >"$dir/access"
	expect 'nothing lost' eval "tail -n 1 '$dir/findings.ndjson' | grep -q '\"lost\":0,'" || return 1
	expect 'no finding of a healthy request' eval "! of '$dir' '$truth' | grep '\"target\":\"/ok'"
}

# judged DIR TRUTH: never wrong. A connect names no request: where a thread serves many at once
# (HAProxy), one may stay unknown.
judged() {
	judge "$1" "$2" >"$2.out" ||
		grep -Eq '^seen ([0-9]+)/\1, .*, wrong 0, unknown [01],' "$2.join"
}

# alone GATEWAY WAY FAULT: the same fault again, among healthy requests only
alone() {
	local dir=$work/$1-$2-$3-alone truth=$work/$1-$2-$3-alone.tsv
	gateway_is "$1" && why502_start "$dir" || return 1
	# shellcheck disable=SC2086 # one word per option
	warm_up "$dir" ${mix_options[$2]} || return 1
	# shellcheck disable=SC2086 # one word per option
	send "$truth" ${mix_options[$2]} -r 50 -n 4 -d 1 --mix "$3" || return 1
	settle "$dir" "$truth"
	why502_stop "$dir"
	lab access >"$dir/access"
	judged "$dir" "$truth" || { cat "$truth.out"; return 1; }
	some_found "$3" "$truth"
}

# A race by nature: nginx delivers the early 413 itself in about half of them.
some_found() { # FAULT TRUTH
	[ "$1" = early-response-reset ] || expect "findings of $1" grep -q 'seen [1-9]' "$2.join"
}

# What so many faults at a time leave open, or tie to another one, must be right by itself. How
# often they do is what accuracy measures.
case_mix_fault() { # GATEWAY WAY FAULT
	local dir=$work/$1-$2 truth=$work/$1-$2-$3.tsv
	[ -s "$dir/access" ] || { echo "skip: $1-$2-mix did not run"; return 1; }
	awk -F '\t' -v f="$3" '$2 == f' "$dir.tsv" >"$truth"
	if ! judged "$dir" "$truth"; then
		cat "$truth.out"
		alone "$1" "$2" "$3"
		return
	fi
	some_found "$3" "$truth"
}

# All faults of a mix together: what is sent again by itself above must stay rare.
case_mix_total() { # GATEWAY WAY
	local dir=$work/$1-$2 truth=$work/$1-$2-total.tsv
	[ -s "$dir/access" ] || { echo "skip: $1-$2-mix did not run"; return 1; }
	cp "$dir.tsv" "$truth"
	judge "$dir" "$truth" >"$truth.out" && return
	tail -n 1 "$truth.join" | awk -F '[ /,]+' '
		$1 == "seen" { open = $3 - $2 + $10; print; ok = $8 * 200 <= $3 && open * 50 <= $3 }
		END { exit !ok }' || { cat "$truth.join"; return 1; }
}

# mixes GATEWAY: its cases
mixes() {
	local way fault
	for way in ${E2E_WAYS:-$(mix_ways "$1")}; do
		# shellcheck disable=SC2053 # a pattern
		[[ $1-$way-mix == $only || $only == "$1-$way"* ]] || continue
		only='*' run_case "$1-$way-mix" case_mix "$1" "$way"
		for fault in $(mix_faults "$1" "$way"); do
			run_case "$1-$way-$fault" case_mix_fault "$1" "$way" "$fault"
		done
		run_case "$1-$way-total" case_mix_total "$1" "$way"
	done
}
