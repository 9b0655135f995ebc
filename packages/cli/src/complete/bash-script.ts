/** Completion for bash, from 3.2 on. It needs no other package, may be loaded again, and evaluates nothing of the line. */
export const BASH_SCRIPT = `# bash completion for logferry
__logferry_complete() {
  local value rest
  COMPREPLY=()
  while IFS=$'\\t' read -r value rest; do
    case $value in
      :0) ;;
      :*) compopt +o default 2>/dev/null ;;
      *) COMPREPLY+=("$value") ;;
    esac
  done < <(logferry complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F __logferry_complete logferry
`;
