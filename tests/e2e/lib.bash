# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# Helpers of the end-to-end cases: start why502, wait for what it says, send faults, judge.
# Every wait ends with an event or a time limit. Cases run in one shell, one after the other.

now_us() { date +%s%6N; }

# lines FILE PATTERN N SECONDS [PID]: wait until FILE holds N lines with PATTERN
lines() {
	local got
	got=$(grep -cm "$3" -- "$2" < <(timeout "$4" tail -n +1 -s 0.05 -f ${5:+--pid="$5"} "$1" 2>/dev/null))
	[ "$got" = "$3" ]
}

# why502_start DIR ARGS...: sets pid_of[DIR]; findings in DIR/findings.ndjson
declare -A pid_of
why502_start() {
	local dir=$1
	shift
	mkdir -p "$dir"
	: >"$dir/findings.ndjson"
	# A program started with & ignores SIGINT, unless the shell does job control.
	set -m
	"$O/why502" --output ndjson "$@" >"$dir/findings.ndjson" 2>"$dir/err" {life}>&- &
	pid_of[$dir]=$!
	set +m
	lines "$dir/findings.ndjson" '"type":"ready"' 1 20 "${pid_of[$dir]}" && return
	echo "why502 $* did not become ready"
	cat "$dir/err"
	return 1
}

# why502_stop DIR [SIGNAL]: its exit status is left in $stopped
why502_stop() {
	stopped=0
	kill "-${2:-INT}" "${pid_of[$1]}" 2>/dev/null || :
	timeout 10 tail -s 0.05 --pid="${pid_of[$1]}" -f /dev/null || kill -KILL "${pid_of[$1]}"
	wait "${pid_of[$1]}" 2>/dev/null || stopped=$?
	unset "pid_of[$1]"
}

lab() { "$top/tools/lab/lab" "$@" {life}>&-; }

# send TRUTH LAB-LOAD-OPTIONS...: some requests whose truth is known
send() {
	local truth=$1
	shift
	rm -f "$truth"
	lab load -o "$truth" "$@" >"$truth.out" || { cat "$truth.out"; return 1; }
}

tag_of() { cut -c 1-7 "$1" | head -n 1; }

# settle DIR TRUTH: until every injected fault of TRUTH has its finding. Fewer come when nginx
# dodged a fault; then this takes its time limit, and the join decides.
settle() {
	local want
	want=$(awk -F '\t' '$3 != "none"' "$2" | wc -l)
	lines "$1/findings.ndjson" "\"target\":\"/[a-z0-9-]*/$(tag_of "$2")" "$want" 6 "${pid_of[$1]:-}" || :
}

# judge DIR TRUTH [JOIN-OPTIONS...]: this cause and no other, this upstream, this socket
judge() {
	local dir=$1 truth=$2
	shift 2
	# a mix has asked for the log already
	[ -s "$dir/access" ] || lab access >"$truth.access"
	"$O/lab-join" -t -v 3 "$@" "$dir/findings.ndjson" "$truth" \
		"$([ -s "$dir/access" ] && echo "$dir/access" || echo "$truth.access")" \
		"$state/log/backend.log" >"$truth.join" || { cat "$truth.join"; return 1; }
}

# of DIR TRUTH: the findings about the requests of TRUTH
of() { grep "\"target\":\"/[a-z0-9-]*/$(tag_of "$2")" "$1/findings.ndjson"; }

# expect WHAT COMMAND...: says what was expected when COMMAND fails
expect() {
	local what=$1
	shift
	"$@" && return
	echo "expected: $what"
	return 1
}

# run_case NAME FUNCTION ARGS...: one line of result; output only when it failed
run_case() {
	local name=$1 out
	shift
	[[ $name == $only ]] || return 0
	# Not in a subshell: cases start programs that others use.
	out=$work/case.out
	if "$@" >"$out" 2>&1; then
		echo "ok $name"
	elif grep -q '^skip: ' "$out"; then
		echo "skip $name $(sed -n 's/^skip: //p' "$out" | head -n 1)"
	else
		cut -c 1-3000 "$out" | sed 's/^/    /'
		echo "not ok $name"
		failed=$((failed + 1))
	fi
}
