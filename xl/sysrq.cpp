// SPDX-License-Identifier: Apache-2.0
#include "xl/command.hpp"
#include "xl/options.hpp"
#include "xl/progress.hpp"

namespace xl::cli {

Outcome<void> run_sysrq(const Arguments& arguments) {
  XL_TRY_ASSIGN(const Options options, Options::parse(arguments, ""));
  XL_TRY(options.need_words(2, 2));
  const std::string& letter = options.words()[1];
  if (letter.size() != 1) {
    return wrong_usage("'" + letter + "' is not one letter");
  }
  XL_TRY_ASSIGN(api::Client client, connect());
  const Progress progress("waiting for '" + options.words()[0] + "' to take the request");
  XL_TRY(client.sysrq(options.words()[0], letter[0], api::default_guest_timeout_ms));
  return {};
}

// Refused whatever the button: the commands that work say so in the manual.
Outcome<void> run_button_press(const Arguments& arguments) {
  XL_TRY_ASSIGN(const Options options, Options::parse(arguments, ""));
  XL_TRY(options.need_words(2, 2));
  const std::string& button = options.words()[1];
  if (button != "power" && button != "sleep") {
    return wrong_usage("'" + button + "' is not a button: power or sleep");
  }
  XL_TRY_ASSIGN(api::Client client, connect());
  XL_TRY_ASSIGN(const api::DomainView domain, client.find(options.words()[0]));
  return Unexpected(
      Failure(Exit::failure, ErrorId::trigger_impossible,
              "domain '" + domain.name + "' has no " + button +
                  " button: a PVH guest has no emulated ACPI hardware; `xl shutdown " +
                  domain.name + "` asks its kernel to power off"));
}

}  // namespace xl::cli
