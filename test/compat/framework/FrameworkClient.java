import com.google.gson.*;
import com.qq.tars.client.*;
import com.qq.tars.common.support.Holder;
import com.qq.tars.common.util.JSON;
import com.qq.tars.net.core.IoBuffer;
import com.qq.tars.protocol.tars.TarsInputStream;
import com.qq.tars.protocol.tars.support.*;
import com.qq.tars.protocol.util.TarsHelper;
import com.qq.tars.rpc.protocol.tars.*;
import com.qq.tars.rpc.protocol.tup.UniAttribute;
import com.qq.tars.support.config.prx.ConfigPrx;
import com.qq.tars.support.log.prx.LogPrx;
import com.qq.tars.support.notify.prx.NotifyPrx;
import com.qq.tars.support.property.prx.PropertyFPrx;
import com.qq.tars.support.query.prx.QueryFPrx;
import com.qq.tars.support.stat.prx.StatFPrx;
import java.io.*;
import java.lang.reflect.*;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.*;
import java.util.jar.JarFile;
import java.util.regex.*;

/**
 * TarsJava behind a pipe: one JSON request a line, one JSON answer a line. Structs have the field names of TarsJava.
 * {"prx":"query","object":"App.Server.Obj@tcp ...","func":f,"version":1,"args":[...],"names":[...],"outs":[...]} -> {"return":r,"out":[...]}
 * {"op":"proxies"} -> {"proxies":{"QueryFPrx":["findObjectById",...],...}}: all that the library brings
 * {"op":"bodies"} -> {"bodies":[hex,...]}: one request as its client writes it in versions 1, 3 and 5
 * A failure -> {"error":...}. Version 1 goes through the library's own proxies and client, which write no other; versions 3 and 5
 * through its codec, UniAttribute and JSON, with the structs of its proxies.
 */
public class FrameworkClient {
  static final Map<String, Class<?>> PROXIES = Map.of("query", QueryFPrx.class, "config", ConfigPrx.class, "notify", NotifyPrx.class, "log", LogPrx.class, "stat", StatFPrx.class, "property", PropertyFPrx.class);
  static final Gson GSON = new GsonBuilder().serializeNulls().enableComplexMapKeySerialization().create();
  static final String CHARSET = "UTF-8";

  public static void main(String[] args) throws IOException {
    PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), false, CHARSET);
    // Whatever the library prints is no answer.
    System.setOut(System.err);
    Communicator communicator = CommunicatorFactory.getInstance().getCommunicator(new CommunicatorConfig());
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      JsonObject answer = new JsonObject();
      try {
        JsonObject request = JsonParser.parseString(line).getAsJsonObject();
        if (!request.has("op")) call(communicator, request, answer);
        else if (request.get("op").getAsString().equals("proxies")) answer.add("proxies", proxies());
        else answer.add("bodies", bodies());
      } catch (Throwable error) {
        answer.addProperty("error", String.valueOf(error.getCause() == null ? error : error.getCause()));
      }
      out.println(GSON.toJson(answer));
      out.flush();
    }
    System.exit(0);
  }

  static void call(Communicator communicator, JsonObject request, JsonObject answer) throws Exception {
    Class<?> type = PROXIES.get(request.get("prx").getAsString());
    String object = request.get("object").getAsString();
    JsonArray args = request.getAsJsonArray("args");
    Method method = find(type, request.get("func").getAsString(), args.size());
    Object[] values = new Object[method.getParameterCount()];
    List<Holder<?>> holders = new ArrayList<>();
    for (int index = 0; index < values.length; index++) {
      if (index < args.size()) values[index] = GSON.fromJson(args.get(index), method.getGenericParameterTypes()[index]);
      else holders.add((Holder<?>) (values[index] = new Holder<>()));
    }
    int version = request.get("version").getAsInt();
    if (version != 1) {
      byCodec(version, object, TarsHelper.getMethodInfo(type, method, "x"), values, request, answer);
      return;
    }
    answer.add("return", GSON.toJsonTree(method.invoke(communicator.stringToProxy(type, object), values)));
    JsonArray out = new JsonArray();
    for (Holder<?> holder : holders) out.add(GSON.toJsonTree(holder.getValue()));
    answer.add("out", out);
  }

  /** The plain form: so many arguments, then out parameters only. */
  static Method find(Class<?> type, String name, int given) throws NoSuchMethodException {
    for (Method method : type.getMethods()) {
      Class<?>[] types = method.getParameterTypes();
      if (!method.getName().equals(name) || types.length < given || types.length > given && types[given] != Holder.class) continue;
      if (types.length > 0 && types[types.length - 1] == Map.class && given != types.length) continue;
      return method;
    }
    throw new NoSuchMethodException(name);
  }

  /** A request whose body is given; all around it is the library's. */
  static final class GivenBody extends TarsCodec {
    private final byte[] body;

    GivenBody(byte[] body) {
      super(CHARSET);
      this.body = body;
    }

    @Override
    protected byte[] encodeRequestParams(TarsServantRequest request, String charset) {
      return body;
    }
  }

  static void byCodec(int version, String object, TarsMethodInfo method, Object[] values, JsonObject request, JsonObject answer) throws Exception {
    JsonArray names = request.getAsJsonArray("names");
    byte[] body;
    if (version == 3) {
      UniAttribute attribute = new UniAttribute();
      attribute.setEncodeName(CHARSET);
      attribute.useVersion3();
      for (int index = 0; index < names.size(); index++) attribute.put(names.get(index).getAsString(), values[index]);
      body = attribute.encode();
    } else {
      JsonObject json = new JsonObject();
      for (int index = 0; index < names.size(); index++) json.add(names.get(index).getAsString(), JSON.toJsonTree(values[index]));
      body = json.toString().getBytes(CHARSET);
    }
    Matcher place = Pattern.compile("(.*)@tcp -h (\\S+) -p (\\d+).*").matcher(object);
    if (!place.matches()) throw new IllegalArgumentException(object);
    TarsServantRequest packet = requestOf(version, place.group(1), request.get("func").getAsString());
    byte[] response = exchange(place.group(2), Integer.parseInt(place.group(3)), bytesOf(new GivenBody(body).encodeRequest(packet, null)));
    TarsInputStream is = new TarsInputStream(response);
    is.setServerEncoding(CHARSET);
    List<TarsMethodParameterInfo> holders = new ArrayList<>();
    for (TarsMethodParameterInfo parameter : method.getParametersList()) if (TarsHelper.isHolder(parameter.getAnnotations())) holders.add(parameter);
    JsonArray outs = request.getAsJsonArray("outs");
    JsonArray out = new JsonArray();
    boolean isVoid = method.getReturnInfo() == null || method.getReturnInfo().getType() == Void.TYPE;
    if (version == 3) {
      // Fields are read in order of their tags.
      byte[] buffer = is.read(new byte[0], 7, true);
      @SuppressWarnings("unchecked")
      Map<String, String> status = (Map<String, String>) (Object) is.read(TarsHelper.STAMP_MAP, 10, true);
      String code = status.get(TarsHelper.STATUS_RESULT_CODE);
      if (code != null && !code.equals("0")) throw new IOException("answered " + code);
      UniAttribute attribute = new UniAttribute();
      attribute.setEncodeName(CHARSET);
      attribute.decode(buffer);
      if (!isVoid) {
        JsonElement value = GSON.toJsonTree((Object) attribute.getByClass("tars_ret", method.getReturnInfo().getStamp()));
        if (!value.equals(GSON.toJsonTree((Object) attribute.getByClass("", method.getReturnInfo().getStamp())))) throw new IOException("the two return values differ");
        answer.add("return", value);
      }
      for (int index = 0; index < holders.size(); index++) out.add(GSON.toJsonTree((Object) attribute.getByClass(outs.get(index).getAsString(), holders.get(index).getStamp())));
    } else {
      int code = is.read(0, 5, true);
      if (code != 0) throw new IOException("answered " + code);
      JsonObject json = JsonParser.parseString(new String(is.read(new byte[0], 6, true), CHARSET)).getAsJsonObject();
      if (!isVoid) answer.add("return", GSON.toJsonTree((Object) JSON.fromJson(json.get("tars_ret").toString(), method.getReturnInfo().getType())));
      for (int index = 0; index < holders.size(); index++) {
        Type inner = ((ParameterizedType) holders.get(index).getType()).getActualTypeArguments()[0];
        out.add(GSON.toJsonTree((Object) JSON.fromJson(json.get(outs.get(index).getAsString()).toString(), inner)));
      }
    }
    answer.add("out", out);
  }

  static TarsServantRequest requestOf(int version, String servant, String function) {
    TarsServantRequest request = new TarsServantRequest(null);
    request.setVersion((short) version);
    request.setPacketType(TarsHelper.NORMAL);
    request.setMessageType(0);
    request.setRequestId(7);
    request.setServantName(servant);
    request.setFunctionName(function);
    request.setTimeout(3000);
    request.setContext(new HashMap<>());
    request.setStatus(new HashMap<>());
    return request;
  }

  static byte[] bytesOf(IoBuffer buffer) {
    ByteBuffer bytes = buffer.buf();
    byte[] copy = new byte[bytes.remaining()];
    bytes.get(copy);
    return copy;
  }

  /** @return the packet that comes back, without its length */
  static byte[] exchange(String host, int port, byte[] packet) throws IOException {
    try (Socket socket = new Socket(host, port)) {
      socket.getOutputStream().write(packet);
      DataInputStream in = new DataInputStream(socket.getInputStream());
      byte[] answer = new byte[in.readInt() - 4];
      in.readFully(answer);
      return answer;
    }
  }

  static JsonObject proxies() throws IOException {
    JsonObject found = new JsonObject();
    String jar = QueryFPrx.class.getProtectionDomain().getCodeSource().getLocation().getPath();
    try (JarFile file = new JarFile(jar)) {
      for (String name : (Iterable<String>) file.stream().map(entry -> entry.getName()).filter(name -> name.endsWith("Prx.class"))::iterator) {
        Set<String> functions = new TreeSet<>();
        try {
          for (Method method : Class.forName(name.replace('/', '.').replace(".class", "")).getMethods()) if (!method.getName().matches("(async|promise)_.*")) functions.add(method.getName());
        } catch (ClassNotFoundException error) {
          throw new IOException(error);
        }
        found.add(name.replaceAll(".*/|\\.class", ""), GSON.toJsonTree(functions));
      }
    }
    return found;
  }

  static JsonArray bodies() throws Exception {
    JsonArray found = new JsonArray();
    Method method = QueryFPrx.class.getMethod("findObjectById", String.class);
    for (int version : new int[] {1, 3, 5}) {
      TarsServantRequest request = requestOf(version, "tars.tarsregistry.QueryObj", "findObjectById");
      request.setMethodInfo(TarsHelper.getMethodInfo(QueryFPrx.class, method, "x"));
      request.setMethodParameters(new Object[] {"Test.Hello.Obj"});
      StringBuilder hex = new StringBuilder();
      for (byte one : bytesOf(new TarsCodec(CHARSET).encodeRequest(request, null))) hex.append(String.format("%02x", one));
      found.add(hex.toString());
    }
    return found;
  }
}
