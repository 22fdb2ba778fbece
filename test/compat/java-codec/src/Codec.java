import com.google.gson.*;
import com.qq.tars.protocol.tars.*;
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.util.*;

/**
 * The codec of TarsJava behind a pipe: one JSON request a line, one JSON answer a line.
 * {"op":"encode","type":T,"tag":n,"value":v} -> {"hex":...}; {"op":"decode","type":T,"tag":n,"hex":h} -> {"value":v};
 * a failure -> {"error":...}. T is the schema type of framework/lib/tars/idl/schema.ts with struct fields written out:
 * {"name":n,"fields":[{"tag":0,"type":T},...]}, at most three names. Integers beyond 53 bits and doubles travel as text, bytes as hex,
 * maps as arrays of pairs.
 */
public class Codec {
  public static void main(String[] args) throws IOException {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), false, "UTF-8");
    Gson gson = new GsonBuilder().serializeNulls().create();
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      JsonObject answer = new JsonObject();
      try {
        handle(JsonParser.parseString(line).getAsJsonObject(), answer);
      } catch (Throwable error) {
        answer.addProperty("error", String.valueOf(error));
      }
      out.println(gson.toJson(answer));
      out.flush();
    }
  }

  static void handle(JsonObject request, JsonObject answer) {
    JsonElement type = request.get("type");
    int tag = request.get("tag").getAsInt();
    if (request.get("op").getAsString().equals("encode")) {
      TarsOutputStream os = new TarsOutputStream();
      os.setServerEncoding("UTF-8");
      os.write(toJava(type, request.get("value")), tag);
      answer.addProperty("hex", hex(os.toByteArray()));
    } else {
      TarsInputStream is = new TarsInputStream(unhex(request.get("hex").getAsString()));
      is.setServerEncoding("UTF-8");
      answer.add("value", toJson(type, is.read(sample(type), tag, true)));
    }
  }

  static Object toJava(JsonElement type, JsonElement value) {
    if (type.isJsonPrimitive()) return scalar(type.getAsString(), value);
    JsonObject shape = type.getAsJsonObject();
    if (shape.has("vector")) {
      List<Object> list = new ArrayList<>();
      for (JsonElement element : value.getAsJsonArray()) list.add(toJava(shape.get("vector"), element));
      return list;
    }
    if (shape.has("map")) {
      JsonArray types = shape.getAsJsonArray("map");
      Map<Object, Object> map = new LinkedHashMap<>();
      for (JsonElement pair : value.getAsJsonArray()) {
        map.put(toJava(types.get(0), pair.getAsJsonArray().get(0)), toJava(types.get(1), pair.getAsJsonArray().get(1)));
      }
      return map;
    }
    Struct struct = struct(shape);
    for (int i = 0; i < struct.values.length; i++) struct.values[i] = toJava(struct.type(i), value.getAsJsonArray().get(i));
    return struct;
  }

  static Object scalar(String type, JsonElement value) {
    switch (type) {
      case "bool": return value.getAsBoolean();
      case "byte": return value.getAsByte();
      case "short": case "ubyte": return value.getAsShort();
      case "int": case "ushort": return value.getAsInt();
      case "long": case "uint": return Long.parseLong(value.getAsString());
      case "float": return Float.parseFloat(value.getAsString());
      case "double": return Double.parseDouble(value.getAsString());
      case "string": return value.getAsString();
      case "bytes": return unhex(value.getAsString());
      default: throw new IllegalArgumentException("type " + type);
    }
  }

  /** A value that tells TarsInputStream what to read. */
  static Object sample(JsonElement type) {
    if (type.isJsonPrimitive()) {
      switch (type.getAsString()) {
        case "bool": return true;
        case "byte": return (byte) 0;
        case "short": case "ubyte": return (short) 0;
        case "int": case "ushort": return 0;
        case "long": case "uint": return 0L;
        case "float": return 0f;
        case "double": return 0d;
        case "string": return "";
        default: return new byte[1];
      }
    }
    JsonObject shape = type.getAsJsonObject();
    if (shape.has("vector")) return new ArrayList<>(Collections.singletonList(sample(shape.get("vector"))));
    if (shape.has("map")) {
      JsonArray types = shape.getAsJsonArray("map");
      return new HashMap<>(Collections.singletonMap(sample(types.get(0)), sample(types.get(1))));
    }
    return struct(shape);
  }

  static JsonElement toJson(JsonElement type, Object value) {
    if (type.isJsonPrimitive()) {
      if (value instanceof Boolean) return new JsonPrimitive((Boolean) value);
      if (value instanceof byte[]) return new JsonPrimitive(hex((byte[]) value));
      return new JsonPrimitive(String.valueOf(value));
    }
    JsonObject shape = type.getAsJsonObject();
    JsonArray out = new JsonArray();
    if (shape.has("vector")) {
      for (Object element : (List<?>) value) out.add(toJson(shape.get("vector"), element));
    } else if (shape.has("map")) {
      JsonArray types = shape.getAsJsonArray("map");
      for (Map.Entry<?, ?> entry : ((Map<?, ?>) value).entrySet()) {
        JsonArray pair = new JsonArray();
        pair.add(toJson(types.get(0), entry.getKey()));
        pair.add(toJson(types.get(1), entry.getValue()));
        out.add(pair);
      }
    } else {
      Struct struct = (Struct) value;
      for (int i = 0; i < struct.values.length; i++) out.add(toJson(struct.type(i), struct.values[i]));
    }
    return out;
  }

  static final List<String> names = new ArrayList<>();
  static final List<JsonArray> shapes = new ArrayList<>();

  static Struct struct(JsonObject shape) {
    String name = shape.get("name").getAsString();
    if (!names.contains(name)) {
      names.add(name);
      shapes.add(shape.getAsJsonArray("fields"));
    }
    switch (names.indexOf(name)) {
      case 0: return new First();
      case 1: return new Second();
      default: return new Third();
    }
  }

  /** TarsInputStream makes structs through a public constructor without parameters, hence one class a shape. */
  public static class First extends Struct {
    public First() {
      super(shapes.get(0));
    }
  }

  public static class Second extends Struct {
    public Second() {
      super(shapes.get(1));
    }
  }

  public static class Third extends Struct {
    public Third() {
      super(shapes.get(2));
    }
  }

  /** A struct whose fields are given at run time; its JSON form is the array of their values. */
  static abstract class Struct extends TarsStructBase {
    final JsonArray fields;
    final Object[] values;

    Struct(JsonArray fields) {
      this.fields = fields;
      this.values = new Object[fields.size()];
    }

    JsonElement type(int index) {
      return fields.get(index).getAsJsonObject().get("type");
    }

    int tag(int index) {
      return fields.get(index).getAsJsonObject().get("tag").getAsInt();
    }

    @Override
    public void writeTo(TarsOutputStream os) {
      for (int i = 0; i < values.length; i++) os.write(values[i], tag(i));
    }

    @Override
    public void readFrom(TarsInputStream is) {
      for (int i = 0; i < values.length; i++) values[i] = is.read(sample(type(i)), tag(i), true);
    }
  }

  static String hex(byte[] bytes) {
    StringBuilder out = new StringBuilder();
    for (byte one : bytes) out.append(String.format("%02x", one));
    return out.toString();
  }

  static byte[] unhex(String text) {
    byte[] bytes = new byte[text.length() / 2];
    for (int i = 0; i < bytes.length; i++) bytes[i] = (byte) Integer.parseInt(text.substring(2 * i, 2 * i + 2), 16);
    return bytes;
  }
}
