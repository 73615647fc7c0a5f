// SPDX-License-Identifier: Apache-2.0
#include "xl/command.hpp"
#include "xl/options.hpp"

namespace xl::cli {

Outcome<void> run_rename(const Arguments& arguments) {
  XL_TRY_ASSIGN(const Options options, Options::parse(arguments, ""));
  XL_TRY(options.need_words(2, 2));
  XL_TRY_ASSIGN(api::Client client, connect());
  XL_TRY(client.rename(options.words()[0], options.words()[1]));
  return {};
}

}  // namespace xl::cli
