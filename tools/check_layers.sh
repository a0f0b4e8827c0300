#!/bin/bash
# check_layers.sh [ROOT]: does a file include, or say, what its place in the house forbids?
# Link lines alone cannot tell, as all folders share one include root. Prints every breach.
#
#   cmd -> controllers -> hooks -> kube -> api          unit, e2e, bench -> anything
#   sim -> controllers and below; of the product only `stillpoint pocket` uses it
#
# tools/check_layers_test.sh plants a breach of each rule and expects it to be found.
set -euo pipefail
cd "${1:-$(dirname "$0")/..}"
breaches=0

report() { # rule; the breaches, as grep prints them, come on stdin
  local lines
  lines=$(cat)
  [[ $lines ]] || return 0
  printf '%s:\n  %s\n' "$1" "${lines//$'\n'/$'\n  '}"
  breaches=$((breaches + $(wc -l <<<"$lines")))
}

# grep over sources; finding nothing is no error.
search() { grep -nHE "$@" 2>/dev/null || true; }

sources_of() { # folder...
  find "$@" -type f \( -name '*.h' -o -name '*.cc' \) 2>/dev/null | LC_ALL=C sort
}

product=(api kube hooks controllers cmd)
mapfile -t all < <(sources_of "${product[@]}")
((${#all[@]})) || exit 0

# ---- folders ----------------------------------------------------------------------------------

may_include() { # folder, regex of the project's headers that it may include
  local files
  mapfile -t files < <(sources_of "$1")
  ((${#files[@]})) || return 0
  report "$1/ may include only $2" \
    < <(search '^ *# *include +"' "${files[@]}" | grep -vE "include +\"($2)" || true)
}
may_include api 'api/'
may_include kube '(api|kube)/'
may_include hooks '(api|hooks)/|kube/(exec|clock|task_group|log|waiters)\.h'
may_include controllers '(api|kube|hooks|controllers)/'
may_include sim '(api|kube|hooks|controllers|sim)/'
may_include cmd '(api|kube|hooks|controllers|cmd|sim/pocket)/'
report "only the pocket command knows of the model" \
  < <(search '^ *# *include +"sim/' "${all[@]}" | grep -v '^cmd/pocket_command\.cc:' || true)

# ---- plans are pure ---------------------------------------------------------------------------

io='"kube/|<boost/(asio|beast)[/.]|<glog/|<libwebsockets|<openssl/|<yaml-cpp/'
io+='|<(thread|mutex|future|fstream|iostream|filesystem)>|<(sys/|unistd)'
io_of_hooks='"hooks/([a-z_]*_(runner|session|client)|runner|session|executor)\.h"'
mapfile -t plans < <(printf '%s\n' "${all[@]}" | grep -E '^(controllers|hooks)/.*_plan(_[a-z_]+)?\.(h|cc)$' || true)
if ((${#plans[@]})); then
  report "a plan is pure: no kube/, no I/O, no loop, no log" \
    < <(search "^ *# *include +($io|$io_of_hooks)" "${plans[@]}")
  report "a plan does not wait" < <(search '\bco_(await|return|yield)\b|\bawaitable<' "${plans[@]}")
fi

# ---- third party has its place ----------------------------------------------------------------

only_in() { # regex of includes, regex of the files that may have them
  report "<$1> belongs in $2" < <(search "^ *# *include +<$1" "${all[@]}" | grep -vE "^($2):" || true)
}
only_in 'boost/beast[/.]' 'kube/(http|tls)[a-z_]*\.cc|cmd/[a-z_]*(http|health|metrics|endpoint)[a-z_]*\.cc'
only_in 'openssl/' 'kube/(http|tls)[a-z_]*\.cc'
only_in 'boost/asio/ssl' 'kube/(http|tls)[a-z_]*\.cc'
only_in 'libwebsockets' 'kube/lws_(link|loop)\.cc'
only_in 'yaml-cpp/' 'kube/[a-z_]*config\.cc'
only_in 'glog/' 'cmd/[a-z_]*\.(cc|h)|controllers/[a-z_]*_controller\.cc'
only_in 'CLI/' 'cmd/[a-z_]*\.(cc|h)'
only_in 'boost/asio' '(kube|hooks|controllers|cmd)/[a-z_/]*\.(cc|h)'
report "yaml-cpp is known to one source" < <(
  users=$(grep -lE "^ *# *include +<yaml-cpp/" "${all[@]}" 2>/dev/null || true)
  [[ $(grep -c . <<<"$users") -le 1 ]] || printf '%s\n' "$users"
)

# ---- words that are banned --------------------------------------------------------------------

banned() { # why, regex, regex of the files that may say it
  report "$1" < <(search "$2" "${all[@]}" | grep -vE "^[^:]*:[0-9]+: *//" | grep -vE "^($3):" || true)
}
nowhere='-'
banned "an exception in a detached coroutine vanishes: use kube::TaskGroup" \
  '\basio::detached\b|[(, ]detached[,)]|include +<boost/asio/detached\.hpp>' "$nowhere"
banned "time comes from kube::Clock, so that the simulator can own it" \
  '\b(system|steady|high_resolution)_clock::now\b|\b(clock_gettime|gettimeofday)\b' 'kube/clock\.cc'
banned "nothing sleeps but by kube::Clock" '\bsleep_(for|until)\b|\bu?sleep\(|\bnanosleep\b' "$nowhere"
banned "randomness is injected, so that a run can be repeated" \
  '\bstd::random_device\b|\bs?rand(om)?\(\)|\bsrand\(' 'cmd/[a-z_]*\.cc'
banned "controllers wait by kube::Clock, not by a timer of their own" \
  '\bsteady_timer\b' '(kube|cmd)/[a-z_]*\.(cc|h)'
banned "threads and locks live in the exec client only" \
  '\bstd::(jthread|thread|mutex|condition_variable|atomic)\b' 'kube/lws_[a-z_]*\.(h|cc)|cmd/[a-z_]*\.cc'
# A coroutine may outlive what the caller had on its stack. A service, passed as a plain reference,
# lives longer than all coroutines.
report "parameters of a coroutine are values" < <(perl -0777 -ne '
  while (/\bawaitable<[^;{}()]*>\s+[\w:]+\(([^;{}]*?)\)\s*(?:const\s*)?(?:override\s*)?[;{=]/g) {
    my ($parameters, $line) = ($1, 1 + (substr($_, 0, $-[1]) =~ tr/\n//));
    next unless $parameters =~ /(\bconst [^,]*&|\bstring_view\b|\bspan<|&&)/;
    $parameters =~ s/\s+/ /g;
    print "$ARGV:$line: $parameters\n";
  }' "${all[@]}")
banned "an abort may leave a database frozen: only main may give up" \
  '\bCHECK(_[A-Z]+)?\(|\bLOG\(FATAL\)|\babort\(\)|\bstd::terminate\b' 'cmd/[a-z_]*\.cc'
# kube/status.cc is where what a server says becomes a code; one error of it has nothing but words.
banned "errors are codes: text is for people" \
  'message(\(\))?\.(find|contains|starts_with)\(' 'kube/status\.cc'

((breaches == 0)) || {
  echo "layers: $breaches breaches"
  exit 1
}
