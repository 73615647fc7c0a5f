// SPDX-License-Identifier: Apache-2.0
#include "libxl++/api/wire.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "libxl++/api/base64.hpp"
#include "libxl++/api/utf8.hpp"
#include "libxl++/api/wire_json.hpp"

namespace xl::api {
namespace {

using nlohmann::json;

// What comes back from JSON becomes the same JSON again: no member is lost or renamed.
template <typename T>
void expect_round_trip(const T& value) {
  const json there = to_json(value);
  const Result<T> back = from_json<T>(there);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(to_json(*back), there);
}

TEST(Wire, ValuesSurviveTheTrip) {
  expect_round_trip(DomainView{7, "guest", "uuid", true, false, true, false, "crash", 1, 2, 3, 4, 5,
                               6, 1700000000000});
  expect_round_trip(DomainView{});
  expect_round_trip(
      CreateRequest{"a.cfg", "name='a'\n", {"memory=1"}, "/", true, true, true, true, true});
  expect_round_trip(
      CreatedView{3, "a", {{"image", 12}, {"load", 34}}, {"careful"}, "a.cfg:1: ..."});
  expect_round_trip(CheckedView{"a", "layout", "warning", "{}"});
  EventView event{9,
                  1700000000000,
                  "ended",
                  3,
                  "a",
                  EndView{"poweroff", "bye", "", "restart", 4, "triple fault"},
                  {{"flag", true}, {"number", std::uint64_t{7}}, {"text", std::string("x")}}};
  expect_round_trip(event);
  event.end = EndView{};
  expect_round_trip(event);
  expect_round_trip(MemoryView{1, 2, 3, 4, true});
  expect_round_trip(MemoryRequest{});
  expect_round_trip(MemoryRequest{163840, 524288});
  HostView host;
  host.node = "host";
  host.cpus = 2;
  expect_round_trip(host);
  expect_round_trip(DaemonView{12, "/s", "0.1", "/r", "/l", true, "fake", 2, 1, {"/x"}});
  WireError error(Error{ErrorCode::no_memory, "no frames left", "buy some", {"a", "b"}}, "text");
  error.diagnostics = R"([{"severity":"error"}])";
  expect_round_trip(error);
  error.error = make_error(ErrorId::guest_memory_too_small, "it does not fit");
  error.error.phase = "image";
  error.location = PlaceView{"a.cfg", 3, 7};
  expect_round_trip(error);
}

TEST(Wire, ErrorsOfANewerDaemonAreTaken) {
  const auto parsed = from_json<WireError>(json::parse(
      R"({"error":{"code":"timeout","id":"not-known-yet","message":"m","hint":"","context":[]}})"));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(id_of(parsed->error), ErrorId::timeout);
  for (const char* place : {"3", "{}", R"({"file":"a","line":-1,"column":0})"}) {
    EXPECT_FALSE(from_json<WireError>(json::parse(
        std::string(R"({"error":{"code":"io","message":"m","location":)") + place + "}}")))
        << place;
  }
}

TEST(Wire, ListWrittenAsTextSaysTheSame) {
  std::vector<DomainView> domains(3);
  domains[0] = DomainView{7, "guest", "uuid", true, false, true, false,         "crash",
                          1, 2,       3,      4,    5,     6,    -1700000000000};
  domains[1].name = "quote\" backslash\\ line\n \xc3\xa4 \xff";
  domains[1].cpu_time_ns = ~std::uint64_t{0};
  for (std::size_t count = 0; count <= domains.size(); ++count) {
    json expected = json::array();
    for (std::size_t i = 0; i < count; ++i) {
      expected.push_back(json::parse(dump(to_json(domains[i]))));  // what is not UTF-8, replaced
    }
    const auto parsed = parse_json(list_text(std::span(domains).first(count)));
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ((*parsed)["domains"], expected);
  }
}

TEST(Wire, DepthIsOfBracketsOutsideOfStrings) {
  const std::string many(100, '[');
  EXPECT_TRUE(parse_json("[\"" + many + "\"]"));
  EXPECT_TRUE(parse_json("[\"\\\"" + many + "\"]")) << "an escaped quote does not end it";
  EXPECT_TRUE(parse_json("[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]"));
  EXPECT_FALSE(parse_json(many + std::string(100, ']')));
  EXPECT_FALSE(parse_json("[\"\\\\\"," + many));
}

TEST(Wire, MemoryRequestsAreChecked) {
  EXPECT_FALSE(from_json<MemoryRequest>(json{{"target", 1}})) << "a misspelt member";
  EXPECT_FALSE(from_json<MemoryRequest>(json{{"target_kib", -1}}));
  EXPECT_FALSE(from_json<MemoryRequest>(json{{"target_kib", "160"}}));
  EXPECT_TRUE(from_json<MemoryRequest>(json{{"target_kib", ~0ULL >> 10}}));
  EXPECT_FALSE(from_json<MemoryRequest>(json{{"target_kib", (~0ULL >> 10) + 1}}));
}

TEST(Wire, ConfigTextMayHoldAnyBytes) {
  std::string text = "name='\xff\xfe'";
  text += '\0';
  const json there = to_json(CreateRequest{"a\xff.cfg", text, {}, "/", false, false, false});
  EXPECT_TRUE(there.at("config").contains("text_base64"));
  const Result<json> parsed = parse_json(dump(there));
  ASSERT_TRUE(parsed);
  const Result<CreateRequest> back = from_json<CreateRequest>(*parsed);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->config_text, text);
  EXPECT_EQ(back->config_name, "a?.cfg");
}

struct Wrong {
  const char* text;
  const char* message;
};

TEST(Wire, WrongRequestsAreNamed) {
  const Wrong cases[] = {
      {"[]", "create request is not an object"},
      {"{}", "create request lacks 'config'"},
      {R"({"config":{"name":"a","text":""},"pausd":true})",
       "create request has an unknown member 'pausd'"},
      {R"({"config":{"name":"a","text":""},"paused":1})", "create request has a wrong 'paused'"},
      {R"({"config":{"name":"a","text":""},"overrides":[1]})",
       "create request has a wrong 'overrides'"},
      {R"({"config":{"name":"a"}})", "config: needs either 'text' or 'text_base64'"},
      {R"({"config":{"name":"a","text":"","text_base64":""}})",
       "config: needs either 'text' or 'text_base64'"},
      {R"({"config":{"name":"a","text_base64":"x"}})", "config: 'text_base64' is not base64"},
      {R"({"config":5})", "config is not an object"},
  };
  for (const Wrong& wrong : cases) {
    const Result<json> parsed = parse_json(wrong.text);
    ASSERT_TRUE(parsed) << wrong.text;
    const Result<CreateRequest> request = from_json<CreateRequest>(*parsed);
    ASSERT_FALSE(request) << wrong.text;
    EXPECT_EQ(request.error().code, ErrorCode::protocol);
    EXPECT_EQ(request.error().message, wrong.message);
  }
}

TEST(Wire, NumbersOutOfRangeAreRefused) {
  for (const char* domid : {"-1", "65536", "1.5", "\"1\"", "99999999999999999999"}) {
    json view = to_json(DomainView{});
    view["domid"] = json::parse(domid);
    EXPECT_FALSE(from_json<DomainView>(view)) << domid;
  }
}

TEST(Wire, JsonIsBounded) {
  EXPECT_FALSE(parse_json(""));
  EXPECT_FALSE(parse_json("{} {}"));
  EXPECT_FALSE(parse_json("\"\xff\""));
  EXPECT_TRUE(parse_json(std::string(10, '[') + std::string(10, ']')));
  EXPECT_FALSE(parse_json(std::string(100, '[') + std::string(100, ']')));
  EXPECT_FALSE(parse_json(std::string(1'000'000, '[')));
}

TEST(Base64, KnowsTheTestVectors) {  // RFC 4648, section 10
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : vectors) {
    EXPECT_EQ(base64_encode(plain), encoded);
    EXPECT_EQ(base64_decode(encoded), plain);
  }
  for (const char* wrong : {"Z", "Zg=", "Zg==Zg==", "Z===", "====", "Zm9!", "Zm 9"}) {
    EXPECT_FALSE(base64_decode(wrong)) << wrong;
  }
}

TEST(Utf8, RefusesWhatRfc3629Refuses) {
  EXPECT_TRUE(is_utf8("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"));
  for (const char* wrong : {"\x80", "\xc0\x80", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80",
                            "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80"}) {
    EXPECT_FALSE(is_utf8(wrong));
  }
  EXPECT_EQ(to_utf8("a\xff"
                    "b"),
            "a?b");
}

}  // namespace
}  // namespace xl::api
