// SPDX-License-Identifier: Apache-2.0
#include "xl/command.hpp"
#include "xl/options.hpp"
#include "xl/progress.hpp"

namespace xl::cli {

Outcome<void> run_destroy(const Arguments& arguments) {
  XL_TRY_ASSIGN(const Options options, Options::parse(arguments, "f"));
  XL_TRY(options.need_words(1, 1));
  XL_TRY_ASSIGN(api::Client client, connect());
  const Progress progress("destroying '" + options.words()[0] + "'");
  XL_TRY(client.destroy(options.words()[0]));
  return {};
}

}  // namespace xl::cli
