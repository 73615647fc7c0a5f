// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "base/error.hpp"
#include "base/errors/catalogue.hpp"

namespace xl {
namespace {

template <typename Take>
void for_each_row(Take take) {
  for (const errors::ErrorChapter* chapter : errors::chapters()) {
    EXPECT_FALSE(chapter->title.empty());
    for (const errors::ErrorRow& row : chapter->rows) {
      take(row);
    }
  }
}

TEST(Errors, EachIdHasItsRow) {
  std::set<ErrorId> ids;
  std::set<std::string_view> names;
  for_each_row([&](const errors::ErrorRow& row) {
    EXPECT_TRUE(ids.insert(row.id).second) << row.name;
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_EQ(errors::find_row(row.name), &row);
    EXPECT_EQ(to_string(row.id), row.name);
    EXPECT_EQ(code_of(row.id), row.code);
  });
  EXPECT_EQ(ids.size(), static_cast<std::size_t>(last_error_id) + 1);
}

TEST(Errors, EachClassHasOneForTheRest) {
  for (int code = 0; code <= static_cast<int>(ErrorCode::internal); ++code) {
    const auto value = static_cast<ErrorCode>(code);
    EXPECT_EQ(code_of(general_id(value)), value) << to_string(value);
    std::string name(to_string(value));
    const errors::ErrorRow* row = errors::find_row(name);
    ASSERT_NE(row, nullptr) << name;
    EXPECT_EQ(row->id, general_id(value));
  }
}

bool is_sentence(std::string_view text) {
  return text.size() > 3 && text.ends_with('.') && text.find('\n') == text.npos;
}

TEST(Errors, TextsAreComplete) {
  for_each_row([](const errors::ErrorRow& row) {
    EXPECT_EQ(row.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz-"), row.name.npos) << row.name;
    EXPECT_FALSE(row.summary.empty()) << row.name;
    EXPECT_FALSE(row.summary.ends_with('.')) << row.name;
    EXPECT_TRUE(is_sentence(row.cause)) << row.name;
    EXPECT_TRUE(is_sentence(row.cure)) << row.name;
  });
}

TEST(Errors, AreExplainedWithinEightyColumns) {
  for_each_row([](const errors::ErrorRow& row) {
    std::string text = errors::explain(row);
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = text.find('\n', at);
      ASSERT_NE(end, text.npos);
      EXPECT_LT(end - at, 80U) << text.substr(at, end - at);
      at = end + 1;
    }
  });
  EXPECT_EQ(errors::explain(errors::row_of(ErrorId::name_taken)),
            "name-taken: another domain has this name\n\n"
            "Cause:  A name means one domain.\n"
            "Cure:   Choose another one (`name=...` behind the config file), or `xl destroy`\n"
            "        or `xl rename` the other domain.\n"
            "Class:  already_exists\n");
}

TEST(Errors, KnowTheirIdOrThatOfTheirClass) {
  EXPECT_EQ(id_of(make_error(ErrorId::uuid_taken, "x")), ErrorId::uuid_taken);
  EXPECT_EQ(make_error(ErrorId::uuid_taken, "x").code, ErrorCode::already_exists);
  EXPECT_EQ(id_of(Error{ErrorCode::busy, "x"}), ErrorId::busy);
  EXPECT_EQ(id_of(system_error(ENOSPC, "x")), ErrorId::disk_full);
  EXPECT_EQ(id_of(system_error(EMFILE, "x")), ErrorId::too_many_files);
  EXPECT_EQ(id_of(system_error(ENOENT, "x")), ErrorId::file_missing);
  EXPECT_EQ(id_of(system_error(ENOENT, "x", ErrorId::image_missing)), ErrorId::image_missing);
  EXPECT_EQ(id_of(system_error(EACCES, "x", ErrorId::image_missing)), ErrorId::access_denied);
}

TEST(Errors, SayInWhichPhaseTheyCameUp) {
  const auto failing = []() -> Result<int> { return fail(ErrorId::busy, "x"); };
  EXPECT_EQ(in_phase("outer", in_phase("inner", failing())).error().phase, "inner");
  EXPECT_EQ(*in_phase("outer", Result<int>(3)), 3);
}

}  // namespace
}  // namespace xl
