// SPDX-License-Identifier: Apache-2.0
#include "xl/command.hpp"
#include "xl/config_file.hpp"
#include "xl/options.hpp"
#include "xl/output.hpp"

namespace xl::cli {

// The findings are what was asked for: they go to standard output, and the status says the rest.
Outcome<void> run_validate(const Arguments& arguments) {
  XL_TRY_ASSIGN(const Options options,
                Options::parse(arguments, "", {{"strict", 's'}, {"json", 'j'}, {"sarif", 'r'}}));
  api::ValidateRequest request;
  request.strict = options.has('s');
  request.sarif = options.has('r');
  if (options.has('j') && request.sarif) {
    return wrong_usage("--json and --sarif contradict each other");
  }
  if (options.words().empty()) {
    return wrong_usage("no config file was given");
  }
  for (const std::string& file : options.words()) {
    XL_TRY_ASSIGN(std::string text, read_config(file));
    request.configs.push_back({file, std::move(text)});
  }
  XL_TRY_ASSIGN(api::Client client, connect());
  XL_TRY_ASSIGN(const api::ValidatedView validated, client.validate(request));
  if (options.has('j')) {
    print(validated.diagnostics + "\n");
  } else {
    print(request.sarif ? validated.sarif + "\n" : validated.rendered);
  }
  if (!validated.valid) {
    return Unexpected(Failure(Exit::invalid, "", true));
  }
  return {};
}

}  // namespace xl::cli
