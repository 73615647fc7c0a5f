// SPDX-License-Identifier: Apache-2.0
// The table of errors as text.
#include <algorithm>

#include "base/error.hpp"
#include "base/errors/catalogue.hpp"

namespace xl::errors {
namespace {

constexpr std::size_t columns = 79;
constexpr std::size_t label_width = 8;

// "Cause:  words that go on and on
//          until they end\n"
std::string wrapped(std::string_view label, std::string_view words) {
  std::string text(label);
  text.resize(label_width, ' ');
  std::size_t column = label_width;
  while (!words.empty()) {
    const std::string_view word = words.substr(0, words.find(' '));
    words.remove_prefix(std::min(word.size() + 1, words.size()));
    if (column != label_width && column + 1 + word.size() > columns) {
      text.append("\n").append(label_width, ' ');
      column = label_width;
    } else if (column != label_width) {
      text += ' ';
      ++column;
    }
    text += word;
    column += word.size();
  }
  return text + '\n';
}

}  // namespace

std::string explain(const ErrorRow& row) {
  std::string text = std::string(row.name) + ": " + std::string(row.summary) + "\n\n";
  text += wrapped("Cause:", row.cause);
  text += wrapped("Cure:", row.cure);
  return text + wrapped("Class:", to_string(row.code));
}

std::string list_all() {
  std::string text;
  for (const ErrorChapter* chapter : chapters()) {
    text.append(text.empty() ? "" : "\n").append(chapter->title).append(":\n\n");
    for (const ErrorRow& row : chapter->rows) {
      std::string name(row.name);
      name.resize(std::max<std::size_t>(name.size(), 26), ' ');
      text.append(" ").append(name).append(" ").append(row.summary).append("\n");
    }
  }
  return text;
}

std::string markdown() {
  std::string text =
      "# Errors\n\n"
      "<!-- Made from base/errors/ by `ninja -C build update-errors`; the test errors-md compares. "
      "-->\n\n"
      "Each error has a name, which `xl -v` and a terminal show in brackets behind the message. "
      "`xl explain NAME` prints\nwhat stands here. In the API it is the member `id` of an error; "
      "`code` is its class. Names do not change their\nmeaning.\n";
  for (const ErrorChapter* chapter : chapters()) {
    text.append("\n## ").append(chapter->title).append("\n\n");
    text.append(chapter->introduction).append("\n");
    for (const ErrorRow& row : chapter->rows) {
      text.append("\n### ").append(row.name).append("\n\n");
      std::string summary(row.summary);
      summary[0] =
          static_cast<char>(summary[0] >= 'a' && summary[0] <= 'z' ? summary[0] - 32 : summary[0]);
      if (row.summary.starts_with("xl")) {
        summary = row.summary;
      }
      text.append(summary).append(" (`").append(to_string(row.code)).append("`).\n\n");
      text.append("- Cause: ").append(row.cause).append("\n");
      text.append("- Cure: ").append(row.cure).append("\n");
    }
  }
  return text;
}

}  // namespace xl::errors
