// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cerrno>
#include <climits>

#include "xl/command.hpp"
#include "xl/format/image.hpp"
#include "xl/options.hpp"
#include "xl/output.hpp"
#include "xl/progress.hpp"

namespace xl::cli {

Outcome<void> run_inspect(const Arguments& arguments) {
  XL_TRY_ASSIGN(const Options options, Options::parse(arguments, "", {{"json", 'j'}}));
  XL_TRY(options.need_words(1, 1));
  std::string path = options.words()[0];
  if (!path.starts_with('/')) {
    char here[PATH_MAX];
    if (::getcwd(here, sizeof here) == nullptr) {
      return Unexpected(Failure(system_error(errno, "asking for the working directory")));
    }
    path = std::string(here) + "/" + path;
  }
  XL_TRY_ASSIGN(api::Client client, connect());
  const auto ask = [&] {
    const Progress progress("reading '" + path + "'");
    return client.inspect(path);
  };
  XL_TRY_ASSIGN(const std::string report, ask());
  XL_TRY_ASSIGN(const std::string text, options.has('j') ? image_json(report) : image_text(report));
  print(text);
  return {};
}

}  // namespace xl::cli
