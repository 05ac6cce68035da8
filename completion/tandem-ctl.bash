# bash completion for tandem-ctl, tandem-server and tandem-tool: it offers what their --help names.

# The argument of option $2 as --help of program $1 shows it: "async|block" of "--sync-fallback=async|block".
_tandem_argument()
{
    "$1" --help 2>/dev/null | sed -n "s/^ *\(-., \)\{0,1\}$2\[\{0,1\}=\([^] ]*\).*/\2/p"
}

# Offers values of option $2 of program $1, if it takes any.
_tandem_complete_value()
{
    local argument
    argument=$(_tandem_argument "$1" "$2")
    case $argument in
        '') return 1 ;;
        *'|'*) mapfile -t COMPREPLY < <(compgen -W "${argument//[()|]/ }" -- "$cur") ;;
        *FILE* | *SOCKET* | *DIR*) _filedir ;;
    esac
}

# Names of servers in the run directories, as tandem-ctl's -t takes them.
_tandem_servers()
{
    local directory file
    for directory in "${OVS_RUNDIR:-/run/openvswitch}" "${OVN_RUNDIR:-/run/ovn}" "${TANDEM_RUNDIR:-/run/tandem}"; do
        for file in "$directory"/*.pid; do
            [ ! -e "$file" ] || basename "$file" .pid
        done
    done
}

# The commands of program $1.
_tandem_commands()
{
    case ${1##*/} in
        tandem-ctl) "$1" --help 2>/dev/null | sed -n '/^Commands:/,/^Any other/s/^  \([a-z][a-z-]*\).*/\1/p' ;;
        tandem-tool) "$1" list-commands 2>/dev/null | sed -n 's/^  \([a-z-]*\).*/\1/p' ;;
    esac
}

# Is there a command among the words before the one that is completed?
_tandem_has_command()
{
    local i
    for ((i = 1; i < cword; i++)); do
        case ${words[i]} in
            -t | --target | -T | --timeout) ((++i)) ;;
            -*) ;;
            *) return 0 ;;
        esac
    done
    return 1
}

_tandem()
{
    local cur prev words cword split
    _init_completion -s || return

    case $prev in
        -t | --target)
            _filedir
            mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "$(_tandem_servers)" -- "$cur")
            return ;;
        --*)
            # Without "=" only an argument that must be there is a word of its own.
            if $split || "$1" --help 2>/dev/null | grep -qE -- "^ *(-., )?$prev="; then
                _tandem_complete_value "$1" "$prev" && return
            fi ;;
    esac
    $split && return

    if [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$("$1" --help 2>/dev/null | grep -oE -- '--[a-z][a-z-]*=?' | sort -u)" -- "$cur")
        [[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace
    elif [[ ${1##*/} != tandem-server ]] && ! _tandem_has_command; then
        mapfile -t COMPREPLY < <(compgen -W "$(_tandem_commands "$1")" -- "$cur")
    elif [[ ${1##*/} != tandem-ctl ]]; then
        _filedir
    fi
} &&
complete -F _tandem tandem-ctl tandem-server tandem-tool
