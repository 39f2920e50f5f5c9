#include "tests/unit/client/json_body.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/reflection.h>

#include <stdexcept>

#include "proto/client.pb.h"

namespace hongyan::client {

namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using nlohmann::json;

// Bytes are text, or a body of their own: {"GroupOp": {...}}.
std::string text_of(const json& value) {
  if (!value.is_object()) return value.get<std::string>();
  const auto body = new_body(value.begin().key());
  fill(*body, value.begin().value());
  return body->SerializeAsString();
}

int enum_number(const FieldDescriptor& field, const json& value) {
  const auto* named = field.enum_type()->FindValueByName(value.get<std::string>());
  if (named == nullptr) throw std::invalid_argument("no such value: " + value.dump());
  return named->number();
}

void fill_one(Message& message, const FieldDescriptor& field, const json& value) {
  const Reflection& access = *message.GetReflection();
  const bool list = field.is_repeated();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return fill(list ? *access.AddMessage(&message, &field) : *access.MutableMessage(&message, &field),
                  value);
    case FieldDescriptor::CPPTYPE_STRING:
      return list ? access.AddString(&message, &field, text_of(value))
                  : access.SetString(&message, &field, text_of(value));
    case FieldDescriptor::CPPTYPE_ENUM:
      return list ? access.AddEnumValue(&message, &field, enum_number(field, value))
                  : access.SetEnumValue(&message, &field, enum_number(field, value));
    case FieldDescriptor::CPPTYPE_INT32:
      return access.SetInt32(&message, &field, value.get<std::int32_t>());
    case FieldDescriptor::CPPTYPE_INT64:
      return access.SetInt64(&message, &field, value.get<std::int64_t>());
    case FieldDescriptor::CPPTYPE_UINT32:
      return access.SetUInt32(&message, &field, value.get<std::uint32_t>());
    case FieldDescriptor::CPPTYPE_UINT64:
      return access.SetUInt64(&message, &field, value.get<std::uint64_t>());
    case FieldDescriptor::CPPTYPE_BOOL:
      return access.SetBool(&message, &field, value.get<bool>());
    default:
      throw std::invalid_argument("a type that no scenario needs: " + field.full_name());
  }
}

const FieldDescriptor& field_named(const Message& message, const std::string& name) {
  const auto* field = message.GetDescriptor()->FindFieldByName(name);
  if (field == nullptr) {
    throw std::invalid_argument(message.GetDescriptor()->name() + " has no field " + name);
  }
  return *field;
}

std::string difference_of_text(const std::string& text, const json& expected) {
  if (expected.is_object()) {
    const auto body = new_body(expected.begin().key());
    if (!body->ParseFromString(text)) return "does not parse as " + expected.begin().key();
    return difference(*body, expected.begin().value());
  }
  return text == expected.get<std::string>() ? "" : "is \"" + text + "\", not " + expected.dump();
}

// index: -1 for a field that is no list.
std::string difference_of(const Message& message, const FieldDescriptor& field, int index,
                          const json& expected) {
  const Reflection& access = *message.GetReflection();
  const bool list = index >= 0;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return difference(
          list ? access.GetRepeatedMessage(message, &field, index) : access.GetMessage(message, &field),
          expected);
    case FieldDescriptor::CPPTYPE_STRING:
      return difference_of_text(
          list ? access.GetRepeatedString(message, &field, index) : access.GetString(message, &field),
          expected);
    case FieldDescriptor::CPPTYPE_ENUM: {
      const int actual =
          list ? access.GetRepeatedEnumValue(message, &field, index) : access.GetEnumValue(message, &field);
      return difference(json(actual), json(enum_number(field, expected)));
    }
    case FieldDescriptor::CPPTYPE_INT32:
      return difference(json(access.GetInt32(message, &field)), expected);
    case FieldDescriptor::CPPTYPE_INT64:
      return difference(json(access.GetInt64(message, &field)), expected);
    case FieldDescriptor::CPPTYPE_UINT32:
      return difference(json(access.GetUInt32(message, &field)), expected);
    case FieldDescriptor::CPPTYPE_UINT64:
      return difference(json(access.GetUInt64(message, &field)), expected);
    case FieldDescriptor::CPPTYPE_BOOL:
      return difference(json(access.GetBool(message, &field)), expected);
    default:
      throw std::invalid_argument("a type that no scenario needs: " + field.full_name());
  }
}

std::string difference_of_list(const Message& message, const FieldDescriptor& field, const json& expected) {
  const int size = message.GetReflection()->FieldSize(message, &field);
  if (static_cast<std::size_t>(size) != expected.size()) {
    return "has " + std::to_string(size) + " elements, not " + std::to_string(expected.size());
  }
  for (int i = 0; i < size; ++i) {
    const std::string found = difference_of(message, field, i, expected[static_cast<std::size_t>(i)]);
    if (!found.empty()) return "[" + std::to_string(i) + "] " + found;
  }
  return "";
}

}  // namespace

std::unique_ptr<Message> new_body(const std::string& name) {
  const auto* type = AuthReq::descriptor()->file()->FindMessageTypeByName(name);
  if (type == nullptr) throw std::invalid_argument("no such body: " + name);
  return std::unique_ptr<Message>(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
}

void fill(Message& message, const json& fields) {
  for (const auto& [name, value] : fields.items()) {
    const FieldDescriptor& field = field_named(message, name);
    if (!field.is_repeated()) {
      fill_one(message, field, value);
      continue;
    }
    for (const json& element : value) fill_one(message, field, element);
  }
}

std::string difference(const Message& message, const json& expected) {
  for (const auto& [name, value] : expected.items()) {
    const FieldDescriptor& field = field_named(message, name);
    const std::string found = field.is_repeated() ? difference_of_list(message, field, value)
                                                  : difference_of(message, field, -1, value);
    if (!found.empty()) return fmt::format("{} {}", name, found);
  }
  return "";
}

std::string difference(const json& actual, const json& expected) {
  if (expected.is_object() && actual.is_object()) {
    for (const auto& [name, value] : expected.items()) {
      if (!actual.contains(name)) return "there is no " + name;
      const std::string found = difference(actual[name], value);
      if (!found.empty()) return fmt::format("{} {}", name, found);
    }
    return "";
  }
  return actual == expected ? "" : "is " + actual.dump() + ", not " + expected.dump();
}

}  // namespace hongyan::client
