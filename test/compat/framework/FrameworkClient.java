import com.google.gson.*;
import com.qq.tars.client.*;
import com.qq.tars.common.support.Holder;
import com.qq.tars.support.config.prx.ConfigPrx;
import com.qq.tars.support.log.prx.LogPrx;
import com.qq.tars.support.notify.prx.NotifyPrx;
import com.qq.tars.support.query.prx.QueryFPrx;
import java.io.*;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.util.*;

/**
 * The framework's own proxies of TarsJava behind a pipe: one JSON request a line, one JSON answer a line.
 * {"prx":"query","object":"App.Server.Obj@tcp ...","func":f,"args":[...]} -> {"return":r,"out":[...]}; a failure -> {"error":...}.
 * Structs have the field names of TarsJava.
 */
public class FrameworkClient {
  static final Map<String, Class<?>> PROXIES = Map.of("query", QueryFPrx.class, "config", ConfigPrx.class, "notify", NotifyPrx.class, "log", LogPrx.class);
  static final Gson GSON = new GsonBuilder().serializeNulls().create();

  public static void main(String[] args) throws IOException {
    PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), false, "UTF-8");
    // Whatever the library prints is no answer.
    System.setOut(System.err);
    Communicator communicator = CommunicatorFactory.getInstance().getCommunicator(new CommunicatorConfig());
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      JsonObject answer = new JsonObject();
      try {
        handle(communicator, JsonParser.parseString(line).getAsJsonObject(), answer);
      } catch (Throwable error) {
        answer.addProperty("error", String.valueOf(error.getCause() == null ? error : error.getCause()));
      }
      out.println(GSON.toJson(answer));
      out.flush();
    }
    System.exit(0);
  }

  static void handle(Communicator communicator, JsonObject request, JsonObject answer) throws Exception {
    Class<?> type = PROXIES.get(request.get("prx").getAsString());
    Object proxy = communicator.stringToProxy(type, request.get("object").getAsString());
    JsonArray args = request.getAsJsonArray("args");
    Method method = find(type, request.get("func").getAsString(), args.size());
    Object[] values = new Object[method.getParameterCount()];
    List<Holder<?>> holders = new ArrayList<>();
    for (int index = 0; index < values.length; index++) {
      if (index < args.size()) values[index] = GSON.fromJson(args.get(index), method.getGenericParameterTypes()[index]);
      else holders.add((Holder<?>) (values[index] = new Holder<>()));
    }
    answer.add("return", GSON.toJsonTree(method.invoke(proxy, values)));
    JsonArray out = new JsonArray();
    for (Holder<?> holder : holders) out.add(GSON.toJsonTree(holder.getValue()));
    answer.add("out", out);
  }

  /** The plain form: so many arguments, then out parameters only. */
  static Method find(Class<?> type, String name, int given) throws NoSuchMethodException {
    for (Method method : type.getMethods()) {
      Class<?>[] types = method.getParameterTypes();
      if (!method.getName().equals(name) || types.length < given || types.length > given && types[given] != Holder.class) continue;
      if (types.length > 0 && types[types.length - 1] == Map.class) continue;
      return method;
    }
    throw new NoSuchMethodException(name);
  }
}
