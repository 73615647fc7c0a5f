// SPDX-License-Identifier: Apache-2.0
// xl completion SHELL prints a script for the shell; xl completion -- WORDS is what the script asks
// at each TAB.
#include <algorithm>

#include "xl/completion.hpp"
#include "xl/options.hpp"
#include "xl/output.hpp"

namespace xl::cli {
namespace {

// bash takes '=' and ':' for ends of words: what stands before is cut off from each answer.
constexpr const char* bash_script = R"(# bash completion for xl
_xl() {
  local line=${COMP_LINE:0:COMP_POINT} cur answer word files=
  local -a words
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  cur=${words[${#words[@]}-1]}
  COMPREPLY=()
  while IFS= read -r answer; do
    if [[ $answer == :files ]]; then
      files=1
    else
      COMPREPLY+=("${answer%%$'\t'*}")
    fi
  done < <("${words[0]}" completion -- "${words[@]:1}" 2>/dev/null)
  if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]]; then
    compopt -o nospace
  fi
  for word in "=" ":"; do
    if [[ $cur == *"$word"* && $COMP_WORDBREAKS == *"$word"* ]]; then
      local cut=${cur%"${cur##*"$word"}"}
      COMPREPLY=("${COMPREPLY[@]#"$cut"}")
    fi
  done
  if [[ $files ]]; then
    compopt -o filenames
    while IFS= read -r answer; do
      COMPREPLY+=("$answer")
    done < <(compgen -f -- "$cur")
  fi
}
complete -F _xl xl
)";

constexpr const char* zsh_script = R"(#compdef xl
_xl() {
  local line word files=0
  local -a whole open
  while IFS= read -r line; do
    word=${line%%$'\t'*}
    if [[ $line == :files ]]; then
      files=1
    elif [[ $word == *= ]]; then
      open+=("${word//:/\\:}:${line#*$'\t'}")
    else
      whole+=("${word//:/\\:}:${line#*$'\t'}")
    fi
  done < <("${words[1]}" completion -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)
  (( $#whole )) && _describe -V xl whole
  (( $#open )) && _describe -V xl open -S ''
  (( files )) && _files
  return 0
}
if [[ $funcstack[1] == _xl ]]; then
  _xl "$@"
else
  compdef _xl xl
fi
)";

constexpr const char* fish_script = R"(# fish completion for xl
function __xl_complete
  set -l words (commandline -opc)
  set -l typed (commandline -ct)
  for line in (command $words[1] completion -- $words[2..-1] "$typed" 2>/dev/null)
    if test "$line" = :files
      __fish_complete_path "$typed"
    else
      echo $line
    end
  end
end
complete -c xl -f -a '(__xl_complete)'
)";

const char* script_for(std::string_view shell) {
  return shell == "bash"   ? bash_script
         : shell == "zsh"  ? zsh_script
         : shell == "fish" ? fish_script
                           : nullptr;
}

// No shell takes any of these for more than a letter.
bool is_harmless(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') ||
           std::string_view("_-.:+@").find(letter) != std::string_view::npos;
  });
}

// Names are looked up only if xld runs: TAB starts nothing, and fails in silence.
void add_domains(Completion& completion, std::string_view typed) {
  const Result<api::RuntimeDir> dir = api::RuntimeDir::from_environment();
  if (!dir) {
    return;
  }
  Result<api::Client> client = api::Client::connect_running(*dir);
  if (!client) {
    return;
  }
  const api::Answer<std::vector<api::DomainView>> domains = client->list();
  if (!domains) {
    return;
  }
  for (const api::DomainView& domain : *domains) {
    if (domain.name.starts_with(typed) && is_harmless(domain.name)) {
      completion.candidates.push_back({domain.name, "domain " + std::to_string(domain.domid)});
    }
  }
}

}  // namespace

Outcome<void> run_completion(const Arguments& arguments) {
  if (arguments.words.empty() || arguments.words[0] != "--") {
    XL_TRY_ASSIGN(const Options options, Options::parse(arguments, ""));
    XL_TRY(options.need_words(1, 1));
    const char* const script = script_for(options.words()[0]);
    if (script == nullptr) {
      return wrong_usage("'" + options.words()[0] + "' is none of bash, zsh, fish");
    }
    print(script);
    return {};
  }
  const std::span<const std::string> words = std::span(arguments.words).subspan(1);
  Completion completion = complete(words);
  if (completion.domains) {
    add_domains(completion, words.back());
  }
  for (const Candidate& candidate : completion.candidates) {
    print(candidate.word + "\t" + candidate.description + "\n");
  }
  print(completion.files ? ":files\n" : "");
  return {};
}

}  // namespace xl::cli
